// needs: userns
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { wall } from '../../host/sandboxes/bubblewrap.ts';
import { makeEtc } from '../../host/sandboxes/etc.ts';
import { Stage } from '../conformance/sandbox-stage.ts';
import { compare, type Said } from './kernel-attacks.ts';

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
  compare(guarded, control);
});
