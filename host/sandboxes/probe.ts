/** What the live probe tries from inside, and what its outcome means. */
import { existsSync, readFileSync } from 'node:fs';
import type { Probe } from './sandbox.ts';

/** Prints one line per thing that should have been refused, then `done`. Opening for writing is tried, nothing is written. */
export const PROBE_SCRIPT = [
  'for f in /proc/sys/kernel/core_pattern /probe /usr/probe /etc/probe /s/probe /app/probe /dev/probe; do',
  '  if (: >> "$f") 2>/dev/null; then echo "$f is writable"; fi',
  'done',
  'if command -v unshare >/dev/null && unshare -U true 2>/dev/null; then echo "new user namespaces can be made"; fi',
  'while read -r name _; do case "$name" in lo:|Inter-*|face*) ;; *) echo "network interface $name is there";; esac; done < /proc/net/dev',
  '[ -e /root ] && echo "/root is there"',
  '[ -e /home ] && echo "/home is there"',
  'echo done',
].join('\n');

export function readProbe(code: number | null, output: string, stderr: string): Probe {
  const lines = output.split('\n').filter(Boolean);
  if (code === 0 && lines.at(-1) === 'done') {
    const holes = lines.slice(0, -1);
    if (holes.length === 0) return { ok: true };
    return {
      ok: false,
      fault: `the wall has holes here: ${holes.join('; ')}`,
      next: 'Do not use this kind on this machine; report it.',
    };
  }
  return { ok: false, fault: whyRefused(stderr), next: nextFor(stderr) };
}

/** bubblewrap's own complaint, with the likely cause in front of it. */
export const whyRefused = (stderr: string): string =>
  `${causeOf(stderr).cause}${stderr ? ` (${stderr.trim().slice(-300)})` : ''}`;
const nextFor = (stderr: string): string => causeOf(stderr).next;

function setting(name: string): string | null {
  const path = `/proc/sys/${name}`;
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : null;
}

function causeOf(stderr: string): { cause: string; next: string } {
  if (/Unknown option/.test(stderr)) {
    return { cause: 'this bubblewrap is too old', next: 'Install bubblewrap 0.8 or newer.' };
  }
  if (setting('kernel/apparmor_restrict_unprivileged_userns') === '1') {
    return {
      cause: 'AppArmor keeps ordinary users from user namespaces',
      next: 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0, or give bwrap an AppArmor profile with `userns,`.',
    };
  }
  if (setting('kernel/unprivileged_userns_clone') === '0') {
    return { cause: 'user namespaces are switched off', next: 'sysctl -w kernel.unprivileged_userns_clone=1' };
  }
  if (setting('user/max_user_namespaces') === '0') {
    return { cause: 'no user namespace may be made', next: 'sysctl -w user.max_user_namespaces=15000' };
  }
  if (existsSync('/.dockerenv') || existsSync('/run/.containerenv')) {
    return {
      cause: 'this is a container that does not allow sandboxes inside it',
      next: 'Run Halfdoor on the machine itself, or allow user namespaces in the container.',
    };
  }
  return {
    cause: 'bubblewrap could not make the sandbox',
    next: 'Try it by hand: bwrap --unshare-all --ro-bind / / true',
  };
}
