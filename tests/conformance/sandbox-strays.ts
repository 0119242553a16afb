/** What a dead host left is found by the label of its install and ended; what is of another install is not touched. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { untilGone } from '../../host/sandboxes/launched.ts';
import { reapStrays } from '../../host/sandboxes/strays.ts';
import { processesWith, runs, Stage, type Staged } from './sandbox-stage.ts';

/** A host of its own starts the sandbox and is killed. Gives the pids of what it had started. */
async function leftByDeadHost(stage: Stage): Promise<number[]> {
  await stage.listen();
  writeFileSync(join(stage.paths.work, 'verb'), 'deaf');
  const program = join(import.meta.dirname, 'peers', 'host.ts');
  const argv = [program, stage.kind, stage.home.root, JSON.stringify(stage.spec)];
  const host = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(host.stdout, 'data')) as [Buffer];
  await stage.rung();
  host.kill('SIGKILL');
  await once(host, 'exit');
  return JSON.parse(String(line)) as number[];
}

export function strayCases(staged: Staged): void {
  staged('of a host that was killed nothing is left once its strays were ended', async (stage) => {
    const pids = await leftByDeadHost(stage);
    assert.ok(pids.length > 0);
    // A wall ends with its host by itself; without one there is a stray to be found.
    if (stage.kind === 'process') assert.deepEqual(pids.filter(runs), pids);
    const ended = await reapStrays(stage.home.label);
    if (stage.kind === 'process') assert.equal(ended, 1);
    await untilGone(pids);
    assert.deepEqual(processesWith(`halfdoor-${stage.home.label}-`), []);
    assert.equal(await reapStrays(stage.home.label), 0);
  });

  staged('strays are told by the whole label of their install, and are gone when it returns', async (stage, t) => {
    const other = new Stage(stage.kind);
    t.after(() => other.close());
    const [mine, theirs] = [await stage.start('deaf'), await other.start('deaf')];
    await Promise.all([stage.rung(), other.rung()]);
    const pids = { mine: mine.pids(), theirs: theirs.pids() };
    for (const label of ['another1', stage.home.label.slice(0, 4), `${stage.home.label}0`]) {
      assert.equal(await reapStrays(label), 0, label);
    }
    assert.deepEqual(
      [...pids.mine, ...pids.theirs].filter((pid) => !runs(pid)),
      [],
    );
    assert.ok((await reapStrays(stage.home.label)) >= 1);
    assert.deepEqual(processesWith(`halfdoor-${stage.home.label}-`), []);
    assert.deepEqual(
      pids.theirs.filter((pid) => !runs(pid)),
      [],
    );
    const { code, signal } = await mine.gone;
    assert.ok(code !== 0 || signal !== null);
  });
}
