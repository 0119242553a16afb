/** What the live probe tries from inside, and what its outcome means. */
import { existsSync, readFileSync } from 'node:fs';
import type { Probe } from './sandbox.ts';

/** What only one kind has to show: bubblewrap takes its root from the machine; an engine may take its users from elsewhere. */
const OF_KIND = {
  bubblewrap: ['[ -e /root ] && echo "/root is there"', '[ -e /home ] && echo "/home is there"'],
  docker: [
    'read -r _ first _ < /proc/self/uid_map; [ "$first" = 0 ] || echo "its users are not those of this machine"',
  ],
} as const;

/** Prints one line per thing that should have been refused, then `done`. Opening for writing is tried, nothing is written. */
export const probeScript = (kind: keyof typeof OF_KIND): string =>
  [
    'for f in /proc/sys/kernel/core_pattern /probe /usr/probe /etc/probe /s/probe /app/probe /dev/probe; do',
    '  if (: >> "$f") 2>/dev/null; then echo "$f is writable"; fi',
    'done',
    'if command -v unshare >/dev/null && unshare -U true 2>/dev/null; then echo "new user namespaces can be made"; fi',
    'while read -r name _; do case "$name" in lo:|Inter-*|face*) ;; *) echo "network interface $name is there";; esac; done < /proc/net/dev',
    ...OF_KIND[kind],
    'while read -r name value; do',
    '  if [ "$name" = Seccomp: ] && [ "$value" != 2 ]; then echo "every system call is open"; fi',
    'done < /proc/self/status',
    'echo done',
  ].join('\n');

export function readProbe(code: number | null, output: string, stderr: string): Probe {
  return (code === 0 ? judge(output) : null) ?? { ok: false, fault: whyRefused(stderr), next: nextFor(stderr) };
}

/** What a script that came to its end has shown; null when it did not. */
export function judge(output: string): Probe | null {
  const lines = output.split('\n').filter(Boolean);
  if (lines.at(-1) !== 'done') return null;
  const holes = lines.slice(0, -1);
  if (holes.length === 0) return { ok: true };
  return {
    ok: false,
    fault: `the wall has holes here: ${holes.join('; ')}`,
    next: 'Do not use this kind on this machine; report it.',
  };
}

/** bubblewrap's own complaint, with the likely cause in front of it. */
export const whyRefused = (stderr: string): string =>
  `${causeOf(stderr).cause}${stderr ? ` (${stderr.trim().slice(-300)})` : ''}`;
const nextFor = (stderr: string): string => causeOf(stderr).next;

function setting(name: string): string | null {
  const path = `/proc/sys/${name}`;
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : null;
}

type Cause = { cause: string; next: string };

/** Settings of the kernel that keep ordinary users from namespaces: the value that does, what it means, what lifts it. */
const SETTINGS: readonly (Cause & { name: string; shut: string })[] = [
  {
    name: 'kernel/apparmor_restrict_unprivileged_userns',
    shut: '1',
    cause: 'AppArmor keeps ordinary users from user namespaces',
    next: 'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  },
  {
    name: 'kernel/unprivileged_userns_clone',
    shut: '0',
    cause: 'user namespaces are switched off for ordinary users',
    next: 'sudo sysctl -w kernel.unprivileged_userns_clone=1',
  },
  {
    name: 'user/max_user_namespaces',
    shut: '0',
    cause: 'no user namespace may be made',
    next: 'sudo sysctl -w user.max_user_namespaces=15000',
  },
];

function causeOf(stderr: string): Cause {
  if (/Unknown option/.test(stderr)) {
    return {
      cause: 'this bubblewrap is too old, it must be 0.8 or newer',
      next: 'sudo apt-get install --only-upgrade bubblewrap',
    };
  }
  const found = SETTINGS.find(({ name, shut }) => setting(name) === shut);
  if (found) return found;
  if (existsSync('/.dockerenv') || existsSync('/run/.containerenv')) {
    return {
      cause: 'this is a container that does not allow sandboxes inside it',
      next: 'docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined …',
    };
  }
  return { cause: 'bubblewrap could not make the sandbox', next: 'bwrap --unshare-all --ro-bind / / true' };
}
