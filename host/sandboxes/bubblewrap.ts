/**
 * Linux namespaces through bubblewrap: no daemon, no network, a read-only root, and writable only what is named here.
 * The order of the arguments is the order of the mounts.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { LIMITS } from '@halfdoor/protocol/limits';
import { OUT_FILES } from '../home.ts';
import { runLabel } from './label.ts';
import { launched, tailOf } from './launched.ts';
import { resetModes } from './modes.ts';
import { openFilesPerProcess } from './open-files.ts';
import { checkPresent } from './present.ts';
import { yieldTo } from './priority.ts';
import { endLabelled } from './strays.ts';
import { withFilter } from './syscall-filter.ts';
import { probeScript, readProbe, whyRefused } from './probe.ts';
import {
  SandboxError,
  type Probe,
  type RunningSandbox,
  type Sandbox,
  type SandboxFolder,
  type SandboxSpec,
} from './sandbox.ts';

/** `root`: whose /usr is mounted; asked at each start, throws `SandboxError`. */
export type BubblewrapDeps = { etc: string; root(): string; uid: number };

const TOOLS = { prlimit: '/usr/bin/prlimit', bwrap: '/usr/bin/bwrap', tini: '/usr/bin/tini' } as const;
/** What each comes in, on Debian and Ubuntu. */
const PACKAGES = { prlimit: 'util-linux', bwrap: 'bubblewrap', tini: 'tini' } as const;
const LIBRARIES = 'ld.so.cache';
const INFO_FD = 3;
const FILTER_FD = 4;
const BASE = '/s';
const PROBE_MS = 10_000;

export const bubblewrapSandbox = (deps: BubblewrapDeps): Sandbox => ({
  kind: 'bubblewrap',
  baseOf: () => BASE,
  probe: () => probe(deps),
  start: (spec) => start(deps, spec),
});

function refuseEarly(deps: BubblewrapDeps): void {
  if (process.platform !== 'linux') {
    throw new SandboxError('bubblewrap runs on Linux only', 'Run Halfdoor on Linux; other sandboxes come later.');
  }
  if (deps.uid === 0)
    throw new SandboxError('the sandbox is never started by root', 'Start the host with ./halfdoor start.');
  const names = (['bwrap', 'tini', 'prlimit'] as const).filter((name) => !existsSync(TOOLS[name]));
  if (names.length === 0) return;
  const packages = names.map((name) => PACKAGES[name]).join(' ');
  throw new SandboxError(`${names.join(' and ')} not found in /usr/bin`, `sudo apt-get install ${packages}`);
}

/** Everything but what a session adds: limits, namespaces, root, /etc, /proc, /dev, /tmp. Descriptor 4 is `withFilter`'s. */
export function wall(etc: string, root: string): string[] {
  return [
    `--fsize=${LIMITS.fileBytes}`,
    '--core=0',
    '--',
    TOOLS.bwrap,
    ...['--unshare-all', '--unshare-user', '--disable-userns', '--uid', '1000', '--gid', '1000', '--hostname', 'agent'],
    ...['--cap-drop', 'ALL', '--new-session', '--die-with-parent', '--as-pid-1', '--clearenv'],
    ...['--setenv', 'HOME', '/s/work/home', '--setenv', 'PATH', '/usr/bin:/bin'],
    ...['--setenv', 'TMPDIR', '/tmp', '--setenv', 'LANG', 'C.UTF-8', '--info-fd', String(INFO_FD)],
    ...['--seccomp', String(FILTER_FD)],
    ...['--ro-bind', join(root, 'usr'), '/usr', '--tmpfs', '/usr/local', '--remount-ro', '/usr/local'],
    ...['lib', 'lib64', 'bin', 'sbin'].flatMap((dir) => ['--symlink', `usr/${dir}`, `/${dir}`]),
    ...['--ro-bind', etc, '/etc', '--ro-bind-try', join(root, 'etc/alternatives'), '/etc/alternatives'],
    // Where libraries are is known by the root they are of; a file can be mounted only where one is.
    ...(existsSync(join(etc, LIBRARIES)) ? ['--ro-bind-try', join(root, 'etc', LIBRARIES), `/etc/${LIBRARIES}`] : []),
    ...['--proc', '/proc', '--ro-bind', '/proc/sys', '/proc/sys', '--dev', '/dev'],
    ...['--size', String(LIMITS.shmBytes), '--tmpfs', '/dev/shm', '--remount-ro', '/dev'],
    ...['--size', String(LIMITS.tmpBytes), '--tmpfs', '/tmp'],
  ];
}

/** What one session has: in/ to read, the named files of out/ and work/ to write. */
function mounts(spec: SandboxSpec): string[] {
  return [
    ...['--ro-bind', spec.program.bun, '/app/bun', '--ro-bind', spec.program.folder, '/app/dist', '--dir', '/s'],
    ...['--ro-bind', spec.inDir, '/s/in', '--ro-bind', spec.outDir, '/s/out'],
    ...[...OUT_FILES, 'files'].flatMap((name) => ['--bind', join(spec.outDir, name), `/s/out/${name}`]),
    ...['--bind', spec.workDir, '/s/work', '--ro-bind', spec.agentDir, '/s/agent'],
    ...['--ro-bind', spec.socketDir, '/s/run', ...folderMount(spec.folder)],
    ...['--remount-ro', '/', '--chdir', '/s/work'],
  ];
}

const folderMount = (folder: SandboxFolder | null): string[] =>
  folder === null ? [] : [folder.access === 'read-write' ? '--bind' : '--ro-bind', folder.path, '/s/folder'];

/**
 * bubblewrap follows whatever stands at a path when it mounts it. So the first thing inside looks whether it is the
 * folder that was meant, and nothing of the agent's runs before that. What is made there is for others to read, as
 * what a person makes is: the host's own umask is for its home.
 */
const CHECK_FOLDER =
  '[ "$(stat -c %d:%i /s/folder)" = "$0" ] || { echo "another folder stands in its place" >&2; exit 96; }; umask 022; exec "$@"';

const checked = (folder: SandboxFolder | null): string[] =>
  folder === null ? [] : ['/bin/sh', '-c', CHECK_FOLDER, folder.identity];

/** Set inside: what is counted by user then counts there alone. */
const limits = (): string[] => [`--nproc=${LIMITS.pids}`, `--nofile=${openFilesPerProcess()}`];

async function start(deps: BubblewrapDeps, spec: SandboxSpec): Promise<RunningSandbox> {
  refuseEarly(deps);
  checkPresent(spec);
  resetModes(spec);
  const inside = [
    '/app/bun',
    `/app/dist/${spec.program.entry}`,
    String(spec.run),
    BASE,
    runLabel(spec.label, spec.sessionId),
  ];
  if (spec.recover) inside.push('--recover');
  const child = spawnWalled(
    wall(deps.etc, deps.root()),
    mounts(spec),
    [...checked(spec.folder), TOOLS.prlimit, ...limits(), '--', TOOLS.tini, '--', ...inside],
    'ignore',
  );
  const stderr = tailOf(child);
  const inner = await innerPid(child, runLabel(spec.label, spec.sessionId));
  if (inner === null)
    throw new SandboxError(whyRefused(stderr()), './halfdoor doctor tries the sandbox and names the cause.');
  return launched(child, inner, stderr);
}

function spawnWalled(walls: string[], extra: string[], program: string[], stdout: 'ignore' | 'pipe'): ChildProcess {
  const argv = [...walls, ...extra, '--', ...program];
  const options = { env: {}, cwd: '/', detached: true };
  const child = withFilter((filter) =>
    spawn(TOOLS.prlimit, argv, { ...options, stdio: ['ignore', stdout, 'pipe', 'pipe', filter] }),
  );
  yieldTo(child.pid, LIMITS.niceness);
  return child;
}

/** The kernel pid of pid 1 inside, as bubblewrap reports it; null when it ended before it came so far. Throws `SandboxError`. */
function innerPid(child: ChildProcess, label: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    let pid: string | undefined;
    let info = '';
    // Without a descriptor to spare there are no pipes, and no end is told: only the error is.
    const pipe = child.stdio?.[INFO_FD] as Readable | undefined;
    pipe?.setEncoding('utf8').on('data', (chunk: string) => {
      info += chunk;
      pid = /"child-pid":\s*(\d+)/.exec(info)?.[1];
      if (pid) resolve(Number(pid));
    });
    child.once('error', (error) =>
      reject(
        new SandboxError(`bubblewrap did not start: ${error.message}`, 'Look at the limits of the host: ulimit -a.'),
      ),
    );
    // Killed before it had told of the inner one, it leaves it waiting for ever, with our pipes open.
    child.once('exit', () => pid ?? void endLabelled((it) => it === label));
    child.once('close', () => resolve(null));
  });
}

/**
 * Starts one for real and tries from inside what must be refused; one success refuses the whole kind. On the machine's
 * own root: what it says holds for every wall, the reader's too, whatever becomes of an unpacked image.
 */
async function probe(deps: BubblewrapDeps): Promise<Probe> {
  try {
    refuseEarly(deps);
    withFilter(() => undefined);
  } catch (error) {
    const { message, next } = error as SandboxError;
    return { ok: false, fault: message, next };
  }
  const extra = ['--dir', '/s', '--dir', '/app', '--remount-ro', '/', '--chdir', '/'];
  const program = [TOOLS.tini, '--', '/bin/sh', '-c', probeScript('bubblewrap')];
  const child = spawnWalled(wall(deps.etc, '/'), extra, program, 'pipe');
  const stderr = tailOf(child);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output += chunk));
  const timer = setTimeout(() => child.kill('SIGKILL'), PROBE_MS);
  const code = await new Promise<number | null>((resolve) => {
    child.once('error', () => resolve(null));
    child.once('close', resolve);
  });
  clearTimeout(timer);
  return readProbe(code, output, stderr());
}
