/** What a container is started with: the wall, and what one session has. The same as behind bubblewrap, in Docker's words. */
import { join } from 'node:path';
import { LIMITS } from '@halfdoor/protocol/limits';
import { OUT_FILES } from '../../home.ts';
import { runLabel } from '../label.ts';
import { openFilesPerProcess } from '../open-files.ts';
import type { SandboxSpec } from '../sandbox.ts';

export const BASE = '/s';
const PROFILE = join(import.meta.dirname, '..', '..', '..', 'image', 'seccomp', 'profile.json');
/** The watchdog ends and names what goes over its limit; this holds what grows faster than it looks. */
const MEMORY_BYTES = LIMITS.memoryBytes + LIMITS.memoryBytes / 4;

export type Owner = { uid: number; gid: number };

/** How containers of one install, session and run are told from all others; compared whole. */
export const LABELS = { install: 'halfdoor.install', session: 'halfdoor.session', run: 'halfdoor.run' } as const;

/** Everything but what a session adds. The last words of a run are kept within 64 KiB, until they are read. */
export const wall = ({ uid, gid }: Owner): string[] => [
  ...['--pull', 'never', '--user', `${uid}:${gid}`, '--network', 'none', '--hostname', 'agent'],
  ...[
    '--read-only',
    '--cap-drop',
    'ALL',
    '--security-opt',
    'no-new-privileges',
    '--security-opt',
    `seccomp=${PROFILE}`,
  ],
  ...['--ipc', 'none', '--cgroupns', 'private', '--pids-limit', String(LIMITS.pids)],
  ...['--memory', String(MEMORY_BYTES), '--memory-swap', String(MEMORY_BYTES)],
  ...['--ulimit', `fsize=${LIMITS.fileBytes}`, '--ulimit', 'core=0', '--ulimit', `nofile=${openFilesPerProcess()}`],
  ...['--log-driver', 'json-file', '--log-opt', 'max-size=64k', '--log-opt', 'max-file=1'],
  ...['--tmpfs', `/tmp:size=${LIMITS.tmpBytes},nosuid,nodev,mode=1777`],
];

type Mount = { from: string; to: string; access: 'read-only' | 'read-write' };

function mountsOf({ program, inDir, outDir, workDir, agentDir, socketDir, folder }: SandboxSpec): Mount[] {
  const read = (from: string, to: string): Mount => ({ from, to, access: 'read-only' });
  const write = (from: string, to: string): Mount => ({ from, to, access: 'read-write' });
  return [
    ...[read(program.bun, '/app/bun'), read(program.folder, '/app/dist')],
    ...[read(inDir, '/s/in'), read(outDir, '/s/out'), read(agentDir, '/s/agent'), read(socketDir, '/s/run')],
    ...[...OUT_FILES, 'files'].map((name) => write(join(outDir, name), `/s/out/${name}`)),
    write(workDir, '/s/work'),
    ...(folder ? [{ from: folder.path, to: '/s/folder', access: folder.access }] : []),
  ];
}

/** The value of --mount is a line of CSV (docker-run(1)); what is missing is an error there, never made as root. */
function mountArgument({ from, to, access }: Mount): string {
  const fields = ['type=bind', `source=${from}`, `target=${to}`, ...(access === 'read-only' ? ['readonly'] : [])];
  return fields.map((it) => (/[",\n]/.test(it) ? `"${it.replaceAll('"', '""')}"` : it)).join(',');
}

const ENV = ['HOME=/s/work/home', 'PATH=/usr/bin:/bin', 'TMPDIR=/tmp', 'LANG=C.UTF-8'];

/**
 * The engine mounts whatever stands at a path, so the first thing inside looks whether the folder is the one that was
 * meant, as behind bubblewrap. What is written to stdout is nobody's.
 */
const FIRST =
  '[ -z "$0" ] || [ "$(stat -c %d:%i /s/folder)" = "$0" ] || { echo "another folder stands in its place" >&2; exit 96; }; ' +
  '[ -z "$0" ] || umask 022; exec "$@" >/dev/null';

/** Of `docker run`, all of it. tini is PID 1: what stands before it makes way for it. The image's own environment is not taken. */
export function runArguments(spec: SandboxSpec, image: string, owner: Owner): string[] {
  const label = runLabel(spec.label, spec.sessionId);
  const own = { [LABELS.install]: spec.label, [LABELS.session]: spec.sessionId, [LABELS.run]: String(spec.run) };
  const program = ['/app/bun', `/app/dist/${spec.program.entry}`, String(spec.run), BASE, label];
  return [
    ...['run', '--detach', ...wall(owner)],
    ...Object.entries(own).flatMap(([name, value]) => ['--label', `${name}=${value}`]),
    ...mountsOf(spec).flatMap((it) => ['--mount', mountArgument(it)]),
    ...['--workdir', '/s/work', '--entrypoint', '/usr/bin/env', image, '-i', ...ENV],
    ...['/usr/bin/nice', '-n', String(LIMITS.niceness), '/bin/sh', '-c', FIRST, spec.folder?.identity ?? ''],
    ...['/usr/bin/tini', '--', ...program, ...(spec.recover ? ['--recover'] : [])],
  ];
}
