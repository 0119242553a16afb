// needs: docker
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { runArguments } from '../../host/sandboxes/docker/arguments.ts';
import { Stage } from '../conformance/sandbox-stage.ts';
import { TEST_BASE } from '../world/engine.ts';
import { compare, type Said } from './kernel-attacks.ts';

/** The same container without its filter; attached, and gone when it has said everything. */
async function unfiltered({ spec }: Stage): Promise<void> {
  const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  const open = runArguments(spec, TEST_BASE, owner).map((it) =>
    it.startsWith('seccomp=') ? 'seccomp=unconfined' : it,
  );
  assert.ok(open.includes('seccomp=unconfined'));
  await promisify(execFile)('/usr/bin/docker', ['run', '--rm', ...open.filter((it) => it !== '--detach').slice(1)]);
}

test('an attack on the kernel from inside a container is refused, and comes further where there is no filter', async (t) => {
  const stage = new Stage('docker');
  t.after(() => stage.close());
  const program = { ...stage.spec.program, entry: 'kernel.ts' };
  assert.deepEqual(await (await stage.attempt({ program })).gone, { code: 0, signal: null, stderr: '' });
  const guarded = stage.said as Said;
  Object.assign(stage.spec, { program });
  await unfiltered(stage);
  compare(guarded, stage.said as Said);
});
