/** What strace saw of files: each call that changes one or brings it to the disk, in the order in which they ended. */

export type FileOp = { /** Seconds since 1970. */ at: number; path: string } & (
  | { kind: 'write'; offset: number; bytes: Buffer }
  | { kind: 'append'; bytes: Buffer }
  | { kind: 'copy'; from: string; offset: number; size: number }
  | { kind: 'truncate'; size: number }
  | { kind: 'link'; target: string }
  | { kind: 'open'; empties: boolean }
  | { kind: 'folder' | 'unlink' | 'sync' }
);

/** Before argv: it and all it starts are traced into `file`, paths and bytes in hex. */
export const strace = (file: string): string[] => [
  ...['strace', '-f', '--seccomp-bpf', '-qq', '-ttt', '-y', '-xx', '-s', '70000', '-o', file],
  ...['-e', `trace=${CALLS.flatMap(({ names }) => names).join(',')}`],
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

type Call = { names: readonly string[]; pattern: RegExp; op(...found: string[]): object };

/** `FILE`: a descriptor with its path. `TEXT`: a string. Both in hex. */
function call(names: readonly string[], args: string, result: string, op: Call['op']): Call {
  const hex = '((?:\\\\x[0-9a-f]{2})*)';
  const filled = args.replaceAll('FILE', `(?:\\d+|AT_FDCWD)<${hex}>`).replaceAll('TEXT', `"${hex}"`);
  const shown = result.replaceAll('FILE', `\\d+<${hex}>`);
  return { names, pattern: new RegExp(`^(?:${names.join('|')})\\(${filled}\\) += ${shown}$`), op };
}

const CALLS: readonly Call[] = [
  call(['pwrite64'], 'FILE, TEXT, \\d+, (\\d+)', '(\\d+)', (path, bytes, offset, written) => ({
    kind: 'write',
    path: textOf(path),
    offset: Number(offset),
    bytes: unhex(bytes).subarray(0, Number(written)),
  })),
  call(['write'], 'FILE, TEXT, \\d+', '(\\d+)', (path, bytes, written) => ({
    kind: 'append',
    path: textOf(path),
    bytes: unhex(bytes).subarray(0, Number(written)),
  })),
  call(['copy_file_range'], 'FILE, \\[(\\d+)\\], FILE, NULL, \\d+, 0', '(\\d+)', (from, offset, path, size) => ({
    kind: 'copy',
    path: textOf(path),
    from: textOf(from),
    offset: Number(offset),
    size: Number(size),
  })),
  call(['ftruncate'], 'FILE, (\\d+)', '0', (path, size) => ({
    kind: 'truncate',
    path: textOf(path),
    size: Number(size),
  })),
  call(['fsync', 'fdatasync'], 'FILE', '0', (path) => ({ kind: 'sync', path: textOf(path) })),
  call(['unlink', 'rmdir'], 'TEXT', '0', (path) => ({ kind: 'unlink', path: textOf(path) })),
  call(['mkdir'], 'TEXT, \\d+', '0', (path) => ({ kind: 'folder', path: textOf(path) })),
  call(['symlink'], 'TEXT, TEXT', '0', (target, path) => ({
    kind: 'link',
    path: textOf(path),
    target: textOf(target),
  })),
  // Whether it is made by this is for the disk to know.
  call(['openat'], 'FILE, TEXT, ([^,)]*O_CREAT[^,)]*)[^)]*', 'FILE', (_folder, _name, flags, path) => ({
    kind: 'open',
    path: textOf(path),
    empties: flags?.includes('O_TRUNC'),
  })),
];

function opOf(said: string): object | null {
  for (const { pattern, op } of CALLS) {
    const found = pattern.exec(said);
    if (found) return op(...found.slice(1));
  }
  return null;
}

const unhex = (text = ''): Buffer => Buffer.from(text.replaceAll('\\x', ''), 'hex');
const textOf = (text?: string): string => unhex(text).toString();
