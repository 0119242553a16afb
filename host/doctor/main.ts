/**
 * `node host/doctor/main.ts [--fix]`: looks at one home as the user that the host runs as, and prints what each check
 * came to, as one line of JSON. Beside a live host it only reads.
 */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspectCentral } from '../db/inspect.ts';
import { isHeld } from '../db/lock.ts';
import { homeAt, type Home } from '../home.ts';
import { runCheck, type Check, type Checked } from './check.ts';
import { clock } from './clock.ts';
import { database } from './database.ts';
import { disk } from './disk.ts';
import type { Ground } from './ground.ts';
import { heldHome } from './held.ts';
import { homeFolder } from './home-folder.ts';
import { limits } from './limits.ts';
import { runDir } from './run-dir.ts';
import { sandboxes } from './sandboxes.ts';
import { sessionFiles, templates } from './session-files.ts';

async function examine(fix: boolean): Promise<Checked[]> {
  const uid = process.getuid?.() ?? 0;
  const home = homeAt(process.env.HALFDOOR_HOME ?? '');
  const before = { home, uid, temp: tmpdir(), env: process.env, now: () => new Date() };
  const outside = { ...before, central: { state: 'missing' as const } };
  const first = await all([homeFolder(home, uid), disk(before)], fix);
  // What cannot be entered cannot be looked into: one finding says it all.
  const shut = first.some(({ findings }) =>
    findings.some(({ id, fixed }) => id.startsWith('home-') && fixed === undefined && id !== 'home-open'),
  );
  if (shut) return [...first, ...(await all([sandboxes(outside)], fix))];
  const root = join(import.meta.dirname, '..', '..');
  const ground: Ground = { ...before, root, held: holds(home), central: inspectCentral(home.central) };
  const rest = [runDir, heldHome, database, clock, sessionFiles, templates, sandboxes, limits].map((make) =>
    make(ground),
  );
  return [...first, ...(await all(rest, fix))];
}

/** A lock file that cannot be read is told by the check of the host. */
function holds(home: Home): boolean {
  try {
    return isHeld(home.lock);
  } catch {
    return false;
  }
}

async function all(checks: readonly Check[], fix: boolean): Promise<Checked[]> {
  const done: Checked[] = [];
  for (const check of checks) done.push(await runCheck(check, fix));
  return done;
}

process.umask(0o077); // as the host's own
process.stdout.write(`${JSON.stringify(await examine(process.argv.includes('--fix')))}\n`);
