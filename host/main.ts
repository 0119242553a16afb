/** `node host/main.ts`: one host for one home, until SIGTERM, SIGINT or POST /v1/stop. */
import { writeSync } from 'node:fs';
import { makeDurable } from '@halfdoor/protocol/durable';
import { LIMITS } from '@halfdoor/protocol/limits';
import { systemClock } from './clock.ts';
import { HomeLocked } from './db/lock.ts';
import { systemOutside } from './egress/outside.ts';
import { homeAt, HOME_TAKEN_EXIT } from './home.ts';
import { openHost, type Host } from './host.ts';
import { closeInherited } from './inherited.ts';
import { errorText, makeLog } from './log.ts';
import { rotating } from './log-file.ts';
import { Redactor } from './secrets/redact.ts';
import { whyNotStarted } from './start-failure.ts';

const env = process.env;
const uid = process.getuid?.() ?? 0;
const durable = makeDurable();
const redactor = new Redactor();
const redact = (text: string): string => redactor.text(text);
const logFile = { fd: 1, path: homeAt(env.HALFDOOR_HOME ?? '').log, bytes: LIMITS.logBytes, files: LIMITS.logFiles };
const log = makeLog(rotating({ ...logFile, write: say }, durable), systemClock.now, redact);

/** The keys of the public endpoints: the only secrets that may come this way, and they stay in memory. */
const FROM_ENVIRONMENT = ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY'];

/** A line that the disk or the pipe does not take is lost; the host is not. */
function say(line: string): void {
  try {
    writeSync(1, line);
  } catch {
    // There is nowhere left to say so.
  }
}

function needed(name: string): string {
  const value = env[name];
  if (value) return value;
  return fail(`${name} is not set`, 'Start the host with ./halfdoor start.');
}

function fail(error: string, next: string, code = 1): never {
  process.stderr.write(redact(`${error}\n${next}\n`));
  process.exit(code);
}

if (uid === 0) fail('the host never runs as root', 'Start it with ./halfdoor start: it uses a user of its own.');

closeInherited();
process.umask(0o077); // however it was started: nothing in the home is for others

let host: Host | null = null;
let ending = false;

/** Asked while the host still opens, it ends once it has. */
async function end(): Promise<void> {
  const asked = ending;
  ending = true;
  if (asked || host === null) return;
  await close(host);
}

async function close(it: Host): Promise<never> {
  log.info('ending');
  try {
    await it.close();
  } catch (error) {
    // Everything accepted is on the disk: the next start goes on from there.
    log.error('the end was not clean', { error: errorText(error) });
    process.exit(1);
  }
  log.info('ended');
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end());
process.on('unhandledRejection', (error) => log.error('unhandled rejection', { error: errorText(error) }));

try {
  host = await openHost({
    root: needed('HALFDOOR_HOME'),
    bun: needed('HALFDOOR_BUN'),
    dist: needed('HALFDOOR_DIST'),
    environment: Object.fromEntries(FROM_ENVIRONMENT.flatMap((name) => (env[name] ? [[name, env[name]]] : []))),
    redactor,
    env,
    uid,
    pid: process.pid,
    clock: systemClock,
    outside: systemOutside,
    log,
    durable,
    shutDown: () => void end(),
  });
  if (ending) await close(host);
  say('ready\n');
} catch (error) {
  if (error instanceof HomeLocked)
    fail(error.message, 'Use the one that runs, or stop it: ./halfdoor stop.', HOME_TAKEN_EXIT);
  const { what, next } = whyNotStarted(error, env.HALFDOOR_HOME ?? '', uid);
  fail(what, next);
}
