/**
 * Descriptors that whoever started the host left open: without CLOEXEC they would go on into every sandbox, and with them
 * a file or pipe of somebody else. Node opens its own with CLOEXEC, so what lacks it was inherited (proc(5), fdinfo).
 */
import { closeSync, readdirSync, readFileSync } from 'node:fs';

const O_CLOEXEC = 0o2000000;

/** Closes them, but for stdin, stdout and stderr. Returns which. Where there is no /proc there is nothing to read. */
export function closeInherited(): number[] {
  return descriptors().filter((fd) => {
    if (fd <= 2 || isOurs(fd)) return false;
    try {
      closeSync(fd);
      return true;
    } catch {
      return false;
    }
  });
}

function descriptors(): number[] {
  try {
    return readdirSync('/proc/self/fd').map(Number);
  } catch {
    return [];
  }
}

function isOurs(fd: number): boolean {
  try {
    const flags = /^flags:\s+([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1];
    return flags === undefined || (Number.parseInt(flags, 8) & O_CLOEXEC) !== 0;
  } catch {
    return true;
  }
}
