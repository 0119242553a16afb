/**
 * What runs inside in the runner's place and goes at the kernel: each attack is one system call. Says what each gave, a
 * number from 0 on when it came through and minus the errno when not, and ends.
 */
import { spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { numberOf, type SystemCall } from './system-calls.ts';

type Native = Record<'call' | 'breed' | 'compat' | 'inject', (...args: bigint[]) => bigint>;
type Ffi = {
  cc(of: { source: string; flags: string[]; symbols: Record<keyof Native, { args: string[]; returns: string }> }): {
    symbols: Native;
  };
  ptr(bytes: Uint8Array): number;
};

/** Of Bun, whose types are not those of the tests. */
const FFI: string = 'bun:ffi';
const { cc, ptr } = (await import(FFI)) as Ffi;

/** The C library alone tells errno, and only right after the call. */
const SOURCE = `
extern long syscall(long n, ...);
extern int *__errno_location(void);
extern int fork(void);
extern int waitpid(int pid, int *status, int options);
extern void _exit(int code);
extern void *signal(int number, void *handler);
long call(long n, long a, long b, long c, long d, long e) {
  long r = syscall(n, a, b, c, d, e, 0L);
  return r < 0 ? -*__errno_location() : r;
}
/* A child that such a call makes has nothing to do here. */
long breed(long n, long a, long b, long end) {
  long r = syscall(n, a, b, 0L, 0L, 0L, 0L);
  if (r == 0) syscall(end, 0L);
  return r < 0 ? -*__errno_location() : r;
}
/* A kernel built or started without calls of 32 bits has no such door: the interrupt faults, as a call it lacks. */
long compat(long n) {
  int status, pid = fork();
  if (pid == 0) {
    int r = n;
    signal(11, 0);
#ifdef __x86_64__
    __asm__ volatile("int $0x80" : "=a"(r) : "a"(r));
#endif
    _exit(r < 0 ? -r : 0);
  }
  waitpid(pid, &status, 0);
  if ((status & 127) == 11) return -38;
  return status & 127 ? 1000 + (status & 127) : -(status >> 8 & 255);
}
extern int ioctl(int fd, unsigned long command, void *arg);
extern int open(char *path, int flags);
extern int setsid(void);
extern int snprintf(char *to, unsigned long size, char *format, ...);
/* Types into the terminal that it stands at, as the leader of a session of its own. */
long inject(long n, long command) {
  int status, pid, zero = 0, number = 0, master = open("/dev/ptmx", 2);
  char path[32];
  ioctl(master, 0x40045431UL, &zero);
  ioctl(master, 0x80045430UL, &number);
  snprintf(path, sizeof path, "/dev/pts/%d", number);
  pid = fork();
  if (pid == 0) {
    setsid();
    _exit(syscall(n, (long)open(path, 2), command, "x") < 0 ? *__errno_location() : 0);
  }
  waitpid(pid, &status, 0);
  return -(status >> 8 & 255);
}
`;

const work = join(process.argv[3] ?? '', 'work');
const at = (name: string): string => join(work, name);
writeFileSync(at('call.c'), SOURCE);
// By the name that a compiler looks for, which is there only where programs are made.
const libc = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/libc.so.6`;
if (!existsSync(at('libc.so'))) symlinkSync(libc, at('libc.so'));
const long = 'i64';
const { symbols } = cc({
  source: at('call.c'),
  flags: [`-L${work}`],
  symbols: {
    call: { args: [long, long, long, long, long, long], returns: long },
    breed: { args: [long, long, long, long], returns: long },
    compat: { args: [long], returns: long },
    inject: { args: [long, long], returns: long },
  },
});

type Arg = number | bigint | string | Uint8Array;

/** What a pointer points at must live until the call is over. */
function call(name: SystemCall, ...args: Arg[]): number {
  const kept = args.map((it) => (typeof it === 'string' ? Buffer.from(`${it}\0`) : it));
  const words = kept.map((it) => BigInt(it instanceof Uint8Array ? ptr(it) : it));
  const [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n] = words;
  return Number(symbols.call(BigInt(numberOf(name, process.arch) ?? -1), a, b, c, d, e));
}

const HERE = -100; // AT_FDCWD
const EXIT_GROUP = process.arch === 'arm64' ? 94 : 231;
const SIGCHLD = 17;
const NEWUSER = 0x1000_0000;

function breed(name: SystemCall, a: Arg, b: number): number {
  const first = BigInt(a instanceof Uint8Array ? ptr(a) : Number(a));
  const nr = BigInt(numberOf(name, process.arch) ?? -1);
  return Number(symbols.breed(nr, first, BigInt(b), BigInt(EXIT_GROUP)));
}

/** -1 when the call came through and the file is without the bit all the same. */
function marked(bit: number, make: (path: string) => number): number {
  const path = at('marked');
  rmSync(path, { recursive: true, force: true });
  const result = make(path);
  const mode = lstatSync(path, { throwIfNoEntry: false })?.mode ?? 0;
  return result >= 0 && (mode & bit) === 0 ? -1 : result;
}

const existing = (make: (path: string) => number) => (): number =>
  marked(0o6000, (path) => {
    writeFileSync(path, '');
    return make(path);
  });

function withFile(act: (fd: number) => number): number {
  const fd = openSync(at('opened'), 'w+');
  try {
    return act(fd);
  } finally {
    closeSync(fd);
  }
}

const words = (...it: bigint[]): Uint8Array => new Uint8Array(new BigUint64Array(it).buffer);
const O_CREAT = 0o100;
const O_WRONLY = 1;
const O_TMPFILE = 0o20000000 | (process.arch === 'arm64' ? 0o40000 : 0o200000);

const MODES: Record<string, () => number> = {
  'setuid by fchmod': existing((path) => {
    const fd = openSync(path, 'r');
    const result = call('fchmod', fd, 0o4755);
    closeSync(fd);
    return result;
  }),
  'setuid by fchmodat': existing((path) => call('fchmodat', HERE, path, 0o4755)),
  'setgid by fchmodat': existing((path) => call('fchmodat', HERE, path, 0o2755)),
  'setgid of a folder': () =>
    marked(0o2000, (path) => {
      mkdirSync(path);
      return call('fchmodat', HERE, path, 0o2755);
    }),
  'setuid by openat': () => marked(0o4000, (path) => call('openat', HERE, path, O_CREAT | O_WRONLY, 0o4755)),
  'setuid by openat2': () =>
    marked(0o4000, (path) => call('openat2', HERE, path, words(BigInt(O_CREAT | O_WRONLY), 0o4755n, 0n), 24)),
  'setuid by O_TMPFILE': () => call('openat', HERE, work, O_TMPFILE | O_WRONLY, 0o4755),
  'setuid by mknodat': () => marked(0o4000, (path) => call('mknodat', HERE, path, 0o104755)),
};

/** Only this processor has the calls that name a path without a folder. */
const OLD_MODES: Record<string, () => number> = {
  'setuid by chmod': existing((path) => call('chmod', path, 0o4755)),
  'setuid by open': () => marked(0o4000, (path) => call('open', path, O_CREAT | O_WRONLY, 0o4755)),
  'setuid by creat': () => marked(0o4000, (path) => call('creat', path, 0o4755)),
  'setuid by mknod': () => marked(0o4000, (path) => call('mknod', path, 0o104755)),
  'a call of 32 bits': () => Number(symbols.compat(20n)),
};

const inject = (command: bigint): number =>
  Number(symbols.inject(BigInt(numberOf('ioctl', process.arch) ?? -1), command));

const victim = spawn('/bin/sleep', ['600'], { stdio: 'ignore' });
const pid = victim.pid ?? 0;
const bytes = (length: number): Uint8Array => new Uint8Array(length);

const KERNEL: Record<string, () => number> = {
  'a key in the keyring': () => call('add_key', 'user', 'halfdoor', 'x', 1, -3),
  'the id of the keyring': () => call('keyctl', 0, -3, 1),
  io_uring: () => call('io_uring_setup', 8, bytes(120)),
  vsock: () => call('socket', 40, 1, 0),
  AF_ALG: () => call('socket', 38, 5, 0),
  'netlink beside routes': () => call('socket', 16, 3, 15),
  'a namespace by unshare': () => call('unshare', NEWUSER),
  'a namespace by clone': () => breed('clone', NEWUSER | SIGCHLD, 0),
  'a namespace by clone3': () => breed('clone3', words(BigInt(NEWUSER), 0n, 0n, 0n, BigInt(SIGCHLD), 0n, 0n, 0n), 64),
  TIOCSTI: () => inject(0x5412n),
  'TIOCSTI with a high bit': () => inject(0x5412n | (1n << 40n)),
  'a lease': () => withFile((fd) => call('fcntl', fd, 1024, 1)),
  'a lease with a high bit': () => withFile((fd) => call('fcntl', fd, 1024n | (1n << 40n), 1)),
  bpf: () => call('bpf', 0xffff, bytes(8), 1 << 20),
  perf_event_open: () => call('perf_event_open', bytes(128), 0, -1, -1, 1 << 20),
  userfaultfd: () => call('userfaultfd', 1),
  mount: () => call('mount', 0, 1, 0, 0, 0),
  'the tree of mounts': () => call('open_tree', HERE, '/', 0),
  'a file by its handle': () => call('name_to_handle_at', HERE, work, bytes(8), bytes(8), 0),
  fanotify: () => call('fanotify_init', 0x200, 0),
  'the clock': () => call('adjtimex', bytes(208)),
  'the memory of another': () => call('process_vm_readv', pid, 0, 0, 0, 0),
  'two compared': () => call('kcmp', pid, pid, 2, 0, 0),
  'a descriptor of another': () => call('pidfd_getfd', call('pidfd_open', pid, 0), 0, 0),
  'memory without a name': () => call('memfd_create', 'x', 0),
  'a queue of messages': () => call('msgget', 0, 0o600),
  'much shared memory': () => call('shmget', 0, 1 << 20, 0o600),
  'another personality': () => call('personality', 0x40_0000),
  // Last: what is traced stays so.
  ptrace: () => call('ptrace', 0x4206, pid, 0, 0),
};

const attacks = { ...MODES, ...(process.arch === 'x64' ? OLD_MODES : {}), ...KERNEL };
const said = Object.fromEntries(Object.entries(attacks).map(([name, attack]) => [name, attack()]));
victim.kill('SIGKILL');
const seccomp = /^Seccomp:\s+(\d)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
writeFileSync(at('said'), JSON.stringify({ seccomp, said }));
process.exit(0);
