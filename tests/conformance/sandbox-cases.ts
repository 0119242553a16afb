/** What every sandbox promises, whatever kind it is. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { untilGone } from '../../host/sandboxes/launched.ts';
import type { SandboxKind } from '../../host/sandboxes/sandbox.ts';
import { distPath, bunPath } from '../world/programs.ts';
import { roundsOf, runs, SESSION, stagedOn, statOf, type Staged } from './sandbox-stage.ts';
import { folderCases } from './sandbox-folder.ts';
import { awkwardStartCases, startCases } from './sandbox-starts.ts';
import { strayCases } from './sandbox-strays.ts';

export function sandboxCases(kind: SandboxKind): void {
  const staged = stagedOn(kind);
  exitCases(staged);
  stopCases(staged);
  goneCases(kind, staged);
  crossingCases(staged);
  surroundingCases(staged);
  folderCases(kind, staged);
  startCases(staged);
  awkwardStartCases(kind, staged);
  strayCases(staged);
}

function exitCases(staged: Staged): void {
  staged('the exit code and the last words come out', async (stage) => {
    const running = await stage.start('exits');
    assert.deepEqual(await running.gone, { code: 7, signal: null, stderr: 'boom\n' });
    assert.equal(runs(running.pid), false);
  });

  staged('a death by signal is never taken for an end in order', async (stage) => {
    const { code, signal } = await (await stage.start('dies')).gone;
    assert.ok(code === 128 + 9 || signal === 'SIGKILL', `${code} ${signal}`);
  });
}

function stopCases(staged: Staged): void {
  staged('stop lets a transaction under way be finished', async (stage) => {
    const running = await stage.start('commits');
    await stage.rung();
    assert.deepEqual(await running.stop(), { code: 0, signal: null, stderr: '' });
    const db = new DatabaseSync(join(stage.paths.work, 't.db'));
    assert.equal(db.prepare('select count(*) as n from t').get()?.n, 1);
    db.close();
  });

  staged('kill does not: what was under way is taken back', async (stage) => {
    const running = await stage.start('commits');
    await stage.rung();
    running.kill();
    await running.gone;
    const db = new DatabaseSync(join(stage.paths.work, 't.db'));
    assert.equal(db.prepare('select count(*) as n from t').get()?.n, 0);
    db.close();
  });

  staged('stop right after start is not lost', async (stage) => {
    const { code, signal } = await (await stage.start('echoes')).stop();
    assert.ok(code === 128 + 15 || signal === 'SIGTERM', `${code} ${signal}`);
  });

  staged('stop ends one that does not listen', async (stage) => {
    const running = await stage.start('deaf');
    await stage.rung();
    const inside = running.pids();
    await running.stop();
    assert.deepEqual(inside.filter(runs), []);
  });

  staged('the real runner takes its file over, and stop ends it in order', async (stage) => {
    stage.route({ seqFloor: 0, agent: 'a', provider: 'mock', model: null, api: null, zone: 'UTC', folder: null });
    const program = { bun: bunPath(), folder: distPath(), entry: 'runner.js' };
    const running = await stage.start('none', { program, run: 5 });
    await stage.rung();
    assert.deepEqual(await running.stop(), { code: 0, signal: null, stderr: '' });
    const db = new DatabaseSync(stage.paths.outbound, { readOnly: true });
    assert.equal(db.prepare('select run from meta').get()?.run, 5);
    db.close();
  });
}

function goneCases(kind: SandboxKind, staged: Staged): void {
  staged('gone comes when nothing inside runs any more, though only the outer process was killed', async (stage) => {
    for (let run = 1; run <= roundsOf(kind, 10); run++) {
      const running = await stage.start('deaf', { run });
      await stage.until(() => stage.said !== undefined);
      const inside = running.pids();
      assert.ok(inside.includes(running.pid));
      process.kill(running.pid, 'SIGKILL');
      await running.gone;
      assert.deepEqual(inside.filter(runs), []);
    }
  });

  staged('gone comes too when the outer process was killed before the inner one was ready', async (stage) => {
    for (let run = 1; run <= roundsOf(kind, 20); run++) {
      const running = await stage.start('deaf', { run });
      const inside = running.pids();
      process.kill(running.pid, 'SIGKILL');
      await running.gone;
      assert.deepEqual(inside.filter(runs), []);
    }
  });

  staged('kill ends the whole group', async (stage) => {
    const running = await stage.start('breeds');
    await stage.rung();
    const inside = running.pids();
    assert.ok(inside.length >= 4, String(inside));
    running.kill();
    await running.gone;
    // Without a wall the group is told to end, and only the runner is waited for.
    if (kind === 'process') await untilGone(inside);
    assert.deepEqual(inside.filter(runs), []);
  });

  staged('after the end nobody is signalled any more: the pid may be somebody else’s', async (stage, t) => {
    const running = await stage.start('exits');
    const exit = await running.gone;
    const signalled = t.mock.method(process, 'kill', () => true);
    running.kill();
    assert.deepEqual(await Promise.all([running.stop(), running.stop()]), [exit, exit]);
    running.kill();
    assert.deepEqual(
      signalled.mock.calls.map((call) => call.arguments),
      [],
    );
    assert.deepEqual(running.pids().filter(runs), []);
  });

  if (kind === 'process') return;
  staged('what left the group and the session is gone with the rest', async (stage) => {
    const running = await stage.start('scatters');
    await stage.rung();
    const inside = running.pids();
    running.kill();
    await running.gone;
    assert.deepEqual(inside.filter(runs), []);
  });
}

function crossingCases(staged: Staged): void {
  staged('locks cross, both ways', async (stage) => {
    const outer = new DatabaseSync(stage.paths.outbound, { timeout: 0 });
    const held = new DatabaseSync(join(stage.paths.work, 'host.db'), { timeout: 0 });
    held.exec('create table t (a); begin immediate');
    await stage.start('locks');
    await stage.rung();
    assert.throws(() => outer.exec('begin immediate'), /locked/);
    stage.ring();
    await stage.until(() => stage.said !== undefined);
    assert.deepEqual(stage.said, { locked: true });
    outer.exec('begin immediate; rollback');
    outer.close();
    held.close();
  });

  staged('bells cross, both ways, as often as they are rung', async (stage) => {
    await stage.start('echoes');
    await stage.rung();
    for (let n = 0; n < 20; n++) {
      const before = stage.rings;
      stage.ring();
      await stage.until(() => stage.rings > before);
    }
  });

  staged('the end of the host is heard inside', async (stage) => {
    const running = await stage.start('echoes');
    await stage.rung();
    await stage.endBell();
    assert.equal((await running.gone).code, 9);
  });
}

function surroundingCases(staged: Staged): void {
  staged('the environment inside is the named list, and nothing of the host’s', async (stage, t) => {
    process.env.HALFDOOR_CANARY = 'canary';
    t.after(() => delete process.env.HALFDOOR_CANARY);
    await stage.start('tells');
    await stage.until(() => stage.said !== undefined);
    const { env } = stage.said as { env: Record<string, string> };
    const { HOME, PWD: _, ...rest } = env;
    assert.deepEqual(rest, { LANG: 'C.UTF-8', PATH: '/usr/bin:/bin', TMPDIR: '/tmp' });
    assert.match(HOME ?? '', /\/work\/home$/);
  });

  staged(
    'the arguments are the run, the folder and the label, and --recover only where it was asked for',
    async (stage) => {
      for (const recover of [false, true]) {
        const running = await stage.start('tells', { run: 42, recover });
        await stage.until(() => stage.said !== undefined);
        const { argv, cwd } = stage.said as { argv: string[]; cwd: string };
        const [run, base, ...rest] = argv;
        assert.equal(run, '42');
        assert.equal(cwd, join(base ?? '', 'work'));
        assert.deepEqual(rest, [`halfdoor-${stage.home.label}-${SESSION}`, ...(recover ? ['--recover'] : [])]);
        running.kill();
        await running.gone;
      }
    },
  );

  staged('it has a process group and a session of its own', async (stage) => {
    const running = await stage.start('deaf');
    await stage.rung();
    const [, , group, session] = statOf(process.pid) ?? [];
    assert.equal(statOf(running.pid)?.[2], String(running.pid));
    for (const pid of running.pids()) {
      const [, , itsGroup, itsSession] = statOf(pid) ?? [];
      assert.notEqual(itsGroup, group);
      assert.notEqual(itsSession, session);
    }
  });
}
