import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { missingTools } from '../sandbox-tools.ts';
import { freshFolder } from './run-cli.ts';

test('what lacks is named by its package; a file that cannot be run is none', (t) => {
  const folder = freshFolder(t);
  assert.deepEqual(missingTools(folder, []), ['bubblewrap', 'tini', 'util-linux']);
  writeFileSync(join(folder, 'bwrap'), '', { mode: 0o755 });
  writeFileSync(join(folder, 'tini'), '', { mode: 0o644 });
  assert.deepEqual(missingTools(`:relative:${folder}`, []), ['tini', 'util-linux']);
  writeFileSync(join(folder, 'x'), '', { mode: 0o755 });
  assert.deepEqual(missingTools('', [folder]), ['tini', 'util-linux']);
});
