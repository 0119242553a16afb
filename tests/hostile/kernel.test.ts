// needs: userns
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { wall } from '../../host/sandboxes/bubblewrap.ts';
import { makeEtc } from '../../host/sandboxes/etc.ts';
import { Stage } from '../conformance/sandbox-stage.ts';

type Said = { seccomp: string; said: Record<string, number> };

const EPERM = -1;
const ENOSYS = -38;

/** The same bubblewrap without its filter, and with what else stands in the way of a namespace left out. */
async function unfiltered({ spec, folder, paths }: Stage): Promise<void> {
  const left = wall(makeEtc(join(folder, 'etc'), spec.label), '/').filter((it) => it !== '--disable-userns');
  const at = left.indexOf('--seccomp');
  if (at >= 0) left.splice(at, 2);
  const mounts = ['--ro-bind', spec.program.bun, '/app/bun', '--ro-bind', spec.program.folder, '/app/dist'];
  const inside = ['--bind', paths.work, '/s/work', '--', '/app/bun', '/app/dist/kernel.ts', '1', '/s'];
  const stdio = ['ignore', 'ignore', 'inherit', 'pipe'] as const;
  const child = spawn('/usr/bin/prlimit', [...left, ...mounts, ...inside], { env: {}, cwd: '/', stdio: [...stdio] });
  assert.deepEqual(await once(child, 'exit'), [0, null]);
}

test('an attack on the kernel from inside is refused, and comes further where there is no filter', async (t) => {
  const stage = new Stage('bubblewrap');
  t.after(() => stage.close());
  const program = { ...stage.spec.program, entry: 'kernel.ts' };
  assert.deepEqual(await (await stage.attempt({ program })).gone, { code: 0, signal: null, stderr: '' });
  const guarded = stage.said as Said;
  await unfiltered(stage);
  const control = stage.said as Said;
  for (const [name, got] of Object.entries(control.said)) {
    const held = guarded.said[name] ?? 0;
    process.stderr.write(`${name}: ${held}, without the filter ${got}\n`);
    assert.ok([EPERM, ENOSYS].includes(held), `${name} gave ${held}`);
    // What the kernel itself does not have is no attack on it.
    assert.ok(got !== held || got === ENOSYS, `${name} comes no further without the filter: ${got}`);
  }
  assert.deepEqual([guarded.seccomp, control.seccomp], ['2', '0']);
});
