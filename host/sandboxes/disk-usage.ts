/**
 * How much folders of agents hold on the disk. An agent can name, nest, link and lock its files as it likes: they are
 * walked by a process of its own behind bubblewrap, which sees those folders only, read-only, follows no link, and may
 * look into what was closed with chmod.
 */
import { execFile } from 'node:child_process';
import { yieldTo } from './priority.ts';

/** A tree that takes longer is larger than any that may be there. */
const WALK_MS = 60_000;
const LAST_PRIORITY = 19;
const UNITS = { bytes: '--block-size=1', entries: '--inodes' } as const;

export type Unit = keyof typeof UNITS;

/**
 * Of each folder how much it holds, all in one walk: starting one costs more than looking. The one that was not at its
 * end in time is endless, Infinity; null is what could not be told, and what would have come behind that one.
 */
export function diskUsage(folders: readonly string[], unit: Unit): Promise<(number | null)[]> {
  const argv = [
    ...['--unshare-all', '--unshare-user', '--uid', '0', '--gid', '0', '--cap-drop', 'ALL'],
    ...['--cap-add', 'CAP_DAC_READ_SEARCH', '--new-session', '--die-with-parent', '--clearenv'],
    ...['--ro-bind', '/usr', '/usr', '--symlink', 'usr/lib', '/lib', '--symlink', 'usr/lib64', '/lib64'],
    ...folders.flatMap((folder, n) => ['--ro-bind', folder, `/${n}`]),
    ...['--', '/usr/bin/du', '-s', '-x', UNITS[unit], '--', ...folders.map((_, n) => `/${n}`)],
  ];
  return new Promise((resolve) => {
    const options = { env: {}, cwd: '/', timeout: WALK_MS, killSignal: 'SIGKILL' } as const;
    // What vanishes under it makes it end with 1, and what it counted stands all the same.
    const child = execFile('/usr/bin/bwrap', argv, options, (error, stdout) => {
      const told = folders.map((_, n) => new RegExp(`^(\\d+)\\t/${n}$`, 'm').exec(stdout)?.[1]);
      const hung = error?.killed ? told.indexOf(undefined) : -1;
      resolve(told.map((it, n) => (n === hung ? Infinity : it === undefined ? null : Number(it))));
    });
    yieldTo(child.pid, LAST_PRIORITY);
  });
}
