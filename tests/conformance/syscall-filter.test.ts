import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SandboxError } from '../../host/sandboxes/sandbox.ts';
import { withFilter } from '../../host/sandboxes/syscall-filter.ts';
import { numberOf, SYSTEM_CALLS, type SystemCall } from './peers/system-calls.ts';
import {
  AUDIT_ARCH,
  filterPath,
  PROCESSORS,
  readFilter,
  verdictOf,
  type Processor,
  type Verdict,
} from './syscall-filter.ts';

type Args = readonly (number | bigint)[];
type Ask = (name: SystemCall, ...args: Args) => Verdict;

const EPERM = 'errno 1';
const ENOSYS = 'errno 38';
const HIGH = 1n << 40n;

/** Once for each processor; a call that it does not have is asked nothing. */
function onEach(name: string, body: (ask: Ask, processor: Processor) => void): void {
  for (const processor of PROCESSORS) {
    const filter = readFilter(filterPath(processor));
    const ask: Ask = (call, ...args) => {
      const nr = numberOf(call, processor);
      assert.notEqual(nr, null);
      return verdictOf(filter, { arch: AUDIT_ARCH[processor], nr: nr ?? 0, args: args.map(BigInt) });
    };
    test(`${processor}: ${name}`, () => body(ask, processor));
  }
}

const has = (processor: Processor, name: SystemCall): boolean => numberOf(name, processor) !== null;

/** Where the mode stands among the arguments of what sets one. */
const MODES = { chmod: 1, fchmod: 1, fchmodat: 2, fchmodat2: 2, creat: 1, mkdir: 1, mkdirat: 2 } as const;
const OPENS = { open: 1, openat: 2 } as const;
const NODES = { mknod: 1, mknodat: 2 } as const;

const placed = (at: number, ...words: Args): Args => [...Array.from({ length: at }, () => 0), ...words];

const ALLOWED = ['read', 'execve', 'futex', 'prctl', 'seccomp', 'statx', 'rseq', 'pidfd_open'] as const;
const ALSO_ALLOWED = ['landlock_create_ruleset', 'futex_waitv'] as const;
const ABSENT = [
  ...(['clone3', 'openat2', 'io_setup', 'io_uring_setup', 'io_uring_enter', 'io_uring_register'] as const),
  ...(['userfaultfd', 'memfd_create', 'memfd_secret', 'msgget', 'statmount', 'listmount'] as const),
];
const CONDITIONAL = [
  ...Object.keys({ ...MODES, ...OPENS, ...NODES }),
  ...['clone', 'socket', 'socketpair', 'fcntl', 'ioctl', 'personality', 'shmget'],
];

onEach('what no agent needs of the kernel is refused, whatever is handed to it', (ask, processor) => {
  const others = (Object.keys(SYSTEM_CALLS) as SystemCall[]).filter((name) => has(processor, name));
  const of = (names: readonly string[]) => others.filter((name) => names.includes(name));
  const refused = others.filter((name) => ![...ALLOWED, ...ALSO_ALLOWED, ...ABSENT, ...CONDITIONAL].includes(name));
  assert.ok(refused.length > 40, String(refused.length));
  for (const word of [0, 1, -1, HIGH]) {
    for (const name of refused) assert.equal(ask(name, word, word, word, word), EPERM, name);
    for (const name of of(ABSENT)) assert.equal(ask(name, word, word, word, word), ENOSYS, name);
    for (const name of of([...ALLOWED, ...ALSO_ALLOWED]))
      assert.equal(ask(name, word, word, word, word), 'allow', name);
  }
});

onEach('no namespace comes of clone, and a thread or a process does', (ask) => {
  for (const flags of [17, 0x11, 0x3d_0f00, 0x0120_0011, HIGH | 17n]) assert.equal(ask('clone', flags), 'allow');
  for (const bit of [17, 25, 26, 27, 28, 29, 30]) {
    for (const flags of [2 ** bit, 2 ** bit + 17, (2n ** BigInt(bit)) | HIGH]) assert.equal(ask('clone', flags), EPERM);
  }
});

onEach('a socket is a Unix socket, TCP, UDP or one that asks for routes', (ask) => {
  const protocols = { 1: [0, 1, 255], 2: [0, 6, 17], 10: [0, 6, 17], 16: [0] } as Record<number, number[]>;
  for (let family = 0; family < 64; family++) {
    for (const protocol of [0, 1, 6, 15, 17, 132, 255, 262]) {
      const may = family === 1 || (protocols[family]?.includes(protocol) ?? false);
      for (const high of [0n, HIGH]) {
        const verdict = ask('socket', BigInt(family) | high, 1, BigInt(protocol) | high);
        assert.equal(verdict, may ? 'allow' : ENOSYS, `${family} ${protocol}`);
      }
    }
    assert.equal(ask('socketpair', family, 1, 0), family === 1 ? 'allow' : ENOSYS);
  }
});

onEach('of fcntl no lease, of ioctl nothing that types into a terminal, with any high bits', (ask) => {
  for (let bit = 32n; bit < 64n; bit++) {
    assert.equal(ask('fcntl', 3, 1024n | (1n << bit)), EPERM);
    for (const command of [0x5412n, 0x541cn]) assert.equal(ask('ioctl', 0, command | (1n << bit)), EPERM);
  }
  for (const command of [0, 1, 2, 3, 4, 5, 6, 7, 16, 36, 37, 38, 1025, 1030, 1031, 1032, 1033, 1034]) {
    assert.equal(ask('fcntl', 3, command), 'allow', String(command));
  }
  for (const command of [1024, 1026, 1040, 2048]) assert.notEqual(ask('fcntl', 3, command), 'allow', String(command));
  for (let command = 0; command < 0x10000; command++) {
    const verdict = command === 0x5412 || command === 0x541c ? EPERM : 'allow';
    assert.equal(ask('ioctl', 0, command), verdict, command.toString(16));
  }
  for (const command of [0x8004_5430, 0x4004_5431, 0x5412_0000, 0x8000_5412, 0xffff_ffff]) {
    assert.equal(ask('ioctl', 0, command), 'allow', command.toString(16));
  }
});

onEach('no mode with setuid or setgid is set, and every other one is', (ask, processor) => {
  for (const [name, at] of Object.entries(MODES) as [SystemCall, number][]) {
    if (!has(processor, name)) continue;
    for (let mode = 0; mode < 0o20000; mode += 0o100) {
      const verdict = (mode & 0o6000) === 0 ? 'allow' : EPERM;
      for (const high of [0n, HIGH]) assert.equal(ask(name, ...placed(at, BigInt(mode) | high)), verdict, name);
    }
  }
});

onEach('an open that makes a file is refused with such a mode; one that makes none is not asked for it', (ask, it) => {
  const makes = [0o100, 0o101, 0o301, 0o2000102, 0o20000001, 0o20200002, 0o20040002];
  for (const [name, at] of Object.entries(OPENS) as [SystemCall, number][]) {
    if (!has(it, name)) continue;
    for (const mode of [0o644, 0o1777, 0o2644, 0o4755, 0o6755, -1]) {
      const verdict = (mode & 0o6000) === 0 ? 'allow' : EPERM;
      for (const flags of makes) assert.equal(ask(name, ...placed(at, flags, mode)), verdict, `${name} ${flags}`);
      for (const flags of [0, 1, 2, 0o2000000, 0o200000]) assert.equal(ask(name, ...placed(at, flags, mode)), 'allow');
    }
  }
});

onEach('a node is a file, a pipe or a socket', (ask, processor) => {
  const types = { file: 0o100000, none: 0, pipe: 0o010000, socket: 0o140000 };
  for (const [name, at] of Object.entries(NODES) as [SystemCall, number][]) {
    if (!has(processor, name)) continue;
    for (const type of Object.values(types)) {
      assert.equal(ask(name, ...placed(at, type | 0o644)), 'allow');
      for (const bit of [0o4000, 0o2000]) assert.equal(ask(name, ...placed(at, type | bit)), EPERM);
    }
    for (const type of [0o020000, 0o060000]) assert.equal(ask(name, ...placed(at, type | 0o644)), EPERM);
  }
});

onEach('memory that nobody maps is a page at most; a personality is the usual one', (ask) => {
  for (const [size, verdict] of [
    [0, 'allow'],
    [4096, 'allow'],
    [4097, ENOSYS],
    [1n << 32n, ENOSYS],
  ] as const) {
    assert.equal(ask('shmget', 0, size), verdict);
  }
  for (const it of [0, 0x40000, 0xffff_ffff]) assert.equal(ask('personality', it), 'allow');
  for (const it of [0x8, 0x20000, 0x40_0000]) assert.equal(ask('personality', it), ENOSYS);
});

onEach('calls of another processor, of 32 bits, or that do not exist are not there; none is killed for', (_, it) => {
  const filter = readFilter(filterPath(it));
  const own = AUDIT_ARCH[it];
  for (const arch of Object.values(AUDIT_ARCH).filter((other) => other !== own)) {
    for (let nr = 0; nr < 512; nr++) assert.equal(verdictOf(filter, { arch, nr, args: [] }), ENOSYS);
  }
  for (const nr of [463, 500, 1023, 0x4000_0000, 0x4000_0001, 0x4000_0200, 0x7fff_ffff, 0xffff_ffff]) {
    assert.equal(verdictOf(filter, { arch: own, nr, args: [] }), ENOSYS, String(nr));
  }
});

test('where no filter is made for the processor nothing starts, and it is said', () => {
  assert.throws(
    () => withFilter(() => assert.fail('it was handed one'), 'riscv64'),
    (error) => error instanceof SandboxError && /riscv64/.test(error.message) && /x64, arm64/.test(error.next),
  );
});
