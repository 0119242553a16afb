/** A person's folder: there for the run it was given to, as it was given, and for no other. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SandboxFolder, SandboxKind } from '../../host/sandboxes/sandbox.ts';
import type { Stage, Staged } from './sandbox-stage.ts';

function folderOn(stage: Stage, name: string, access: SandboxFolder['access']): SandboxFolder {
  const path = join(stage.folder, name);
  mkdirSync(path);
  writeFileSync(join(path, 'mark'), name);
  const { dev, ino } = statSync(path, { bigint: true });
  return { path, identity: `${dev}:${ino}`, access };
}

async function visit(stage: Stage, folder: SandboxFolder | null, run = 1): Promise<unknown> {
  const running = await stage.start('visits', { folder, run });
  await stage.until(() => stage.said !== undefined);
  const { said } = stage;
  running.kill();
  await running.gone;
  return said;
}

export function folderCases(kind: SandboxKind, staged: Staged): void {
  staged('a folder given to a run can be read and written there, and belongs to the host’s user', async (stage) => {
    const folder = folderOn(stage, 'given', 'read-write');
    assert.deepEqual(await visit(stage, folder), { read: 'given', wrote: 'done' });
    const made = join(folder.path, 'made');
    assert.deepEqual([readFileSync(made, 'utf8'), statSync(made).uid], ['inside', process.getuid?.()]);
  });

  staged('the next run has another, or none', async (stage) => {
    await visit(stage, folderOn(stage, 'first', 'read-write'));
    assert.deepEqual(await visit(stage, folderOn(stage, 'second', 'read-write'), 2), { read: 'second', wrote: 'done' });
    assert.deepEqual(await visit(stage, null, 3), { read: 'ENOENT', wrote: 'ENOENT' });
  });

  if (kind === 'process') return;

  staged('read-only is read-only', async (stage) => {
    const folder = folderOn(stage, 'given', 'read-only');
    assert.deepEqual(await visit(stage, folder), { read: 'given', wrote: 'EROFS' });
    assert.equal(existsSync(join(folder.path, 'made')), false);
  });

  staged('what took its place before the mount is not mounted for anything that runs inside', async (stage) => {
    const meant = folderOn(stage, 'meant', 'read-write');
    const other = folderOn(stage, 'other', 'read-write');
    renameSync(meant.path, `${meant.path}.old`);
    symlinkSync(other.path, meant.path);
    const refused = await (await stage.start('visits', { folder: meant })).gone;
    assert.deepEqual([refused.code, refused.stderr], [96, 'another folder stands in its place\n']);
    assert.deepEqual([stage.said, existsSync(join(other.path, 'made'))], [undefined, false]);
    // Without the look inside, the link would be followed.
    const followed = { ...meant, identity: other.identity };
    assert.deepEqual(await visit(stage, followed, 2), { read: 'other', wrote: 'done' });
  });
}
