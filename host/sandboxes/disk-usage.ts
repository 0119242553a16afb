/**
 * How much the writable folders of a session hold on the disk. An agent can name, nest, link and lock its files as it
 * likes: they are walked by a process of its own behind bubblewrap, which sees those folders only, read-only, follows no
 * link, and may look into what was closed with chmod.
 */
import { execFile } from 'node:child_process';
import { yieldTo } from './priority.ts';

/** A tree that takes longer is larger than any that may be there. */
const WALK_MS = 60_000;
const LAST_PRIORITY = 19;

export type DiskUsage = { bytes: number; entries: number };

/** What could not be walked to its end in time is endless: both are Infinity then. Null when nothing could be told. */
export async function diskUsage(folders: readonly string[]): Promise<DiskUsage | null> {
  const bytes = await walk(folders, ['--block-size=1']);
  const entries = bytes === Infinity ? Infinity : await walk(folders, ['--inodes']);
  return bytes === null || entries === null ? null : { bytes, entries };
}

function walk(folders: readonly string[], what: readonly string[]): Promise<number | null> {
  const names = folders.map((_, n) => `/${n}`);
  const argv = [
    ...['--unshare-all', '--unshare-user', '--uid', '0', '--gid', '0', '--cap-drop', 'ALL'],
    ...['--cap-add', 'CAP_DAC_READ_SEARCH', '--new-session', '--die-with-parent', '--clearenv'],
    ...['--ro-bind', '/usr', '/usr', '--symlink', 'usr/lib', '/lib', '--symlink', 'usr/lib64', '/lib64'],
    ...folders.flatMap((folder, n) => ['--ro-bind', folder, `/${n}`]),
    ...['--', '/usr/bin/du', '-s', '-c', '-x', ...what, '--', ...names],
  ];
  return new Promise((resolve) => {
    const options = { env: {}, cwd: '/', timeout: WALK_MS, killSignal: 'SIGKILL' } as const;
    // What vanishes under it makes it end with 1, and what it counted stands all the same.
    const child = execFile('/usr/bin/bwrap', argv, options, (error, stdout) => {
      const total = /^(\d+)\ttotal$/m.exec(stdout)?.[1];
      resolve(total === undefined ? (error?.killed ? Infinity : null) : Number(total));
    });
    yieldTo(child.pid, LAST_PRIORITY);
  });
}
