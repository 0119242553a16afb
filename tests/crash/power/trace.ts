/** What strace saw of files: each call that changes one or brings it to the disk, in the order in which they ended. */

export type FileOp = { /** Seconds since 1970. */ at: number; path: string } & (
  | { kind: 'write'; offset: number; bytes: Buffer }
  | { kind: 'truncate'; size: number }
  | { kind: 'create' | 'unlink' | 'sync' }
);

/** Before argv: it and all it starts are traced into `file`, paths and bytes in hex. */
export const strace = (file: string): string[] => [
  ...['strace', '-f', '--seccomp-bpf', '-qq', '-ttt', '-y', '-xx', '-s', '70000', '-o', file],
  ...['-e', 'trace=pwrite64,fsync,fdatasync,ftruncate,unlink,openat'],
];

const LINE = /^(\d+) +(\d+\.\d+) (.*)$/;
const UNFINISHED = / <unfinished \.\.\.>$/;
const RESUMED = /^<\.\.\. \w+ resumed>/;

export function readTrace(text: string): FileOp[] {
  const begun = new Map<string, string>();
  return text.split('\n').flatMap((line) => {
    const [, pid = '', at = '', said = ''] = LINE.exec(line) ?? [];
    if (UNFINISHED.test(said)) {
      begun.set(pid, said.replace(UNFINISHED, ''));
      return [];
    }
    const whole = RESUMED.test(said) ? `${begun.get(pid) ?? ''}${said.replace(RESUMED, '')}` : said;
    const op = opOf(whole);
    return op === null ? [] : [{ at: Number(at), ...op } as FileOp];
  });
}

/** An argument in hex, as a descriptor's path or as a string. */
const HEX = '((?:\\\\x[0-9a-f]{2})*)';
const CALLS: readonly [RegExp, (...found: string[]) => object][] = [
  [
    new RegExp(`^pwrite64\\(\\d+<${HEX}>, "${HEX}", \\d+, (\\d+)\\) += (\\d+)`),
    (path = '', bytes = '', offset, written) => ({
      kind: 'write',
      path: unhex(path).toString(),
      offset: Number(offset),
      bytes: unhex(bytes).subarray(0, Number(written)),
    }),
  ],
  [
    new RegExp(`^f(?:data)?sync\\(\\d+<${HEX}>\\) += 0`),
    (path = '') => ({ kind: 'sync', path: unhex(path).toString() }),
  ],
  [
    new RegExp(`^ftruncate\\(\\d+<${HEX}>, (\\d+)\\) += 0`),
    (path = '', size) => ({ kind: 'truncate', path: unhex(path).toString(), size: Number(size) }),
  ],
  [new RegExp(`^unlink\\("${HEX}"\\) += 0`), (path = '') => ({ kind: 'unlink', path: unhex(path).toString() })],
  // Whether it was there before is for the disk to know.
  [
    new RegExp(`^openat\\(.*O_CREAT.* = \\d+<${HEX}>$`),
    (path = '') => ({ kind: 'create', path: unhex(path).toString() }),
  ],
];

function opOf(call: string): object | null {
  for (const [pattern, make] of CALLS) {
    const found = pattern.exec(call);
    if (found) return make(...found.slice(1));
  }
  return null;
}

const unhex = (text: string): Buffer => Buffer.from(text.replaceAll('\\x', ''), 'hex');
