// needs: seccomp
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../world/programs.ts';
import { AUDIT_ARCH, filterPath, PROCESSORS, readFilter, verdictOf, type Filter } from './syscall-filter.ts';

/** Words in which two conditions of the profile could differ: each bit of the low half, some of the high one, and edges. */
const WORDS = [
  ...[0n, -1n, 1024n, 0x5412n, 0x541cn, 0o100644n, 4096n, 4097n, 6n, 10n, 16n, 17n],
  ...Array.from({ length: 40 }, (_, bit) => 1n << BigInt(bit)),
];

/** Another release of libseccomp may put the same decisions into other instructions: what counts is the decision. */
function compare(processor: (typeof PROCESSORS)[number], committed: Filter, compiled: Filter): void {
  const arch = AUDIT_ARCH[processor];
  for (let nr = 0; nr < 480; nr++) {
    for (const word of WORDS) {
      for (const args of [[word], [0n, word], [0n, 0n, word], [0n, word, 0o4755n], [0n, 0n, word, 0o4755n]]) {
        const call = { arch, nr, args };
        assert.equal(verdictOf(committed, call), verdictOf(compiled, call), `${processor} ${nr} ${args.join(' ')}`);
      }
    }
  }
}

test('the committed filters are what profile.json says', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hd-filter-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  execFileSync('/usr/bin/python3', [join(ROOT, 'image', 'seccomp', 'compile.py'), folder]);
  for (const processor of PROCESSORS) {
    compare(processor, readFilter(filterPath(processor)), readFilter(join(folder, `${processor}.bpf`)));
  }
});
