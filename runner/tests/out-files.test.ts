import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { OutFiles } from '../out-files.ts';

test('a folder that was closed there ends no run, and what lies beside it goes', () => {
  const root = mkdtempSync(join(tmpdir(), 'hd-out-'));
  const folder = join(root, 'files');
  mkdirSync(join(folder, 'closed'), { recursive: true });
  for (const name of ['closed/inside', 'old', 'awaited']) writeFileSync(join(folder, name), 'x');
  chmodSync(join(folder, 'closed'), 0);
  const files = new OutFiles({
    ...{ folder, durable: makeDurable(), cwd: root, roots: [root] },
    awaited: () => new Set(['awaited']),
  });
  try {
    files.clean();
    assert.deepEqual(readdirSync(folder).toSorted(), ['awaited', 'closed']);
    chmodSync(folder, 0);
    files.clean();
  } finally {
    chmodSync(folder, 0o700);
    chmodSync(join(folder, 'closed'), 0o700);
    rmSync(root, { recursive: true });
  }
});
