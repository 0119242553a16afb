/**
 * One home, one host: a SQLite file held in BEGIN EXCLUSIVE for as long as the host lives. The kernel gives the lock back
 * when the process ends, however it ends, so a stale lock cannot exist. The pid stands in another file, because closing
 * any descriptor of the locked one would drop the lock.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

export class HomeLocked extends Error {
  readonly pid: number | null;
  constructor(home: string, pid: number | null) {
    super(`a host already runs on ${home}${pid === null ? '' : ` (pid ${pid})`}`);
    this.name = 'HomeLocked';
    this.pid = pid;
  }
}

/** Throws `HomeLocked`, naming the pid of the one that holds it. */
export function lockHome(home: string, lockPath: string, pidFile: string, pid: number): { release(): void } {
  const db = new DatabaseSync(lockPath, { timeout: 0 });
  try {
    db.exec('begin exclusive');
  } catch (error) {
    db.close();
    if (!isBusy(error)) throw error;
    throw new HomeLocked(home, readPid(pidFile));
  }
  writeFileSync(pidFile, `${pid}\n`);
  const release = (): void => {
    rmSync(pidFile, { force: true });
    db.close();
  };
  return { release };
}

/** Whether a host holds the home, seen from another process. Takes a shared lock for as long as it looks. */
export function isHeld(lockPath: string): boolean {
  if (!existsSync(lockPath)) return false;
  const db = new DatabaseSync(lockPath, { readOnly: true, timeout: 0 });
  try {
    db.exec('select count(*) from sqlite_schema');
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    db.close();
  }
}

const isBusy = (error: unknown): boolean => ((error as { errcode?: number }).errcode ?? 0) % 256 === 5;

export function readPid(pidFile: string): number | null {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
    return Number.isSafeInteger(pid) ? pid : null;
  } catch {
    return null;
  }
}
