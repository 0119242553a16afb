/** What a test file needs of the machine, said in one of its first lines: `// needs: userns, docker`. Probed, not guessed. */

export type Probe = { run: readonly string[]; how: string };

/** `root` has no probe: who runs it decides. */
export const PROBES: Readonly<Record<string, Probe>> = {
  userns: {
    run: [
      'bwrap',
      '--unshare-all',
      '--unshare-user',
      '--disable-userns',
      '--ro-bind',
      '/',
      '/',
      '--proc',
      '/proc',
      'tini',
      '--version',
    ],
    how: 'apt-get install bubblewrap tini, and a kernel that lets ordinary users make namespaces (kernel.unprivileged_userns_clone=1)',
  },
  docker: {
    run: ['/usr/bin/docker', 'image', 'inspect', 'halfdoor-test-base'],
    how: 'as root: .ci/engine start FOLDER, then DOCKER_HOST=unix://FOLDER/docker.sock; it takes docker.io from apt',
  },
  chromium: { run: ['chromium', '--version'], how: 'apt-get install chromium' },
  seccomp: {
    run: ['/usr/bin/python3', '-c', 'import seccomp'],
    how: 'apt-get install python3-seccomp',
  },
  strace: {
    run: ['strace', '-f', '--seccomp-bpf', '-o', '/dev/null', 'true'],
    how: 'apt-get install strace, and a machine that lets a user trace programs of their own (ptrace)',
  },
  npm: { run: ['/usr/bin/npm', '--version'], how: 'apt-get install npm: what lies in /usr/local is not inside' },
  pip: { run: ['/usr/bin/pip3', '--version'], how: 'apt-get install python3-pip' },
  pty: { run: ['script', '-qefc', 'true', '/dev/null'], how: 'apt-get install bsdutils' },
};

export const ROOT_HOW = 'run ./halfdoor test as root';

const LINES = 3;

/** Throws on a need nobody knows: it would be left out for ever. */
export function needsOf(path: string, text: string): string[] {
  const line = text.split('\n', LINES).find((it) => it.startsWith('// needs:'));
  const needs =
    line === undefined
      ? []
      : line
          .replace('// needs:', '')
          .split(',')
          .map((it) => it.trim());
  for (const need of needs) {
    if (need !== 'root' && !(need in PROBES)) {
      throw new Error(`${path} needs ${JSON.stringify(need)}; known: root, ${Object.keys(PROBES).join(', ')}`);
    }
  }
  return needs;
}
