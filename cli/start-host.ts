/** Starts a host that outlives the CLI, and waits until it answers. Two at once end with one host. */
import { spawn } from 'node:child_process';
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusView } from '../host/api/contract.ts';
import { HOME_TAKEN_EXIT, homeAt } from '../host/home.ts';
import { Unreachable } from './api.ts';
import type { Context } from './context.ts';
import { Failure } from './failure.ts';
import { ensureHome } from './home-room.ts';
import { closeInherited, hostCommand } from './host-process.ts';
import { ensureSandboxTools } from './sandbox-tools.ts';

const START_MS = 30_000;
/** Between a host's lock and its pid file. */
const SETTLE_MS = 200;
const LOOK_MS = 20;
const TAIL_BYTES = 2_048;

/** The host's status, or null when none answers. */
export async function askStatus(context: Context): Promise<StatusView | null> {
  try {
    return await context.api.call<StatusView>('GET', '/v1/status');
  } catch (error) {
    if (error instanceof Unreachable) return null;
    throw error;
  }
}

/** Makes sure that a host answers for this home. Throws `Failure` with the end of its log when it does not come up. */
export async function ensureHost(context: Context): Promise<StatusView> {
  return (await askStatus(context)) ?? startHost(context);
}

async function startHost(context: Context): Promise<StatusView> {
  await ensureSandboxTools(context, false);
  const { argv, env } = hostCommand(context);
  const home = homeAt(context.home);
  ensureHome(context);
  const before = logEnd(home.log, 0).size;
  const deadline = Date.now() + START_MS;
  let again = true;
  while (again && Date.now() < deadline) {
    const { status, metAnother } = await waitForStart(context, spawnHost(argv, env, home.log), deadline);
    if (status) return status;
    again = metAnother; // one that was ending: the home is free now
  }
  const said = logEnd(home.log, before).text.trim();
  throw new Failure(
    `the host did not start${said === '' ? ', and could not say why' : `; it said:\n${said}`}`,
    `${said === '' ? 'Look' : 'Mend what it names, or look'}: ./halfdoor doctor. All of its log: ./halfdoor logs`,
  );
}

type Started = { status: StatusView | null; metAnother: boolean };

/** Until somebody answers; or ours has ended and no other host is on its way up or down; or `deadline`. */
async function waitForStart(context: Context, ended: Promise<number | null>, deadline: number): Promise<Started> {
  const { pidFile } = homeAt(context.home);
  let exited = false;
  let metAnother = false;
  let exitedMs = 0;
  void ended.then((code) => {
    exited = true;
    // Whoever holds the home may not have written its pid yet.
    metAnother ||= code === HOME_TAKEN_EXIT;
    exitedMs = Date.now();
  });
  while (Date.now() < deadline) {
    const wasOver = exited;
    const status = await askStatus(context);
    if (status) return { status, metAnother };
    const other = wasOver && hostAlive(pidFile);
    if (wasOver && !other && Date.now() - exitedMs > SETTLE_MS) break;
    metAnother ||= other;
    await Promise.race([sleep(LOOK_MS), ...(exited ? [] : [ended])]);
  }
  return { status: null, metAnother };
}

/** The log is opened by the host's own user, so that root follows no link that this user made. */
function spawnHost(argv: readonly string[], env: Record<string, string>, log: string): Promise<number | null> {
  closeInherited();
  const split = argv.indexOf('--') + 1;
  const shell = ['/bin/sh', '-c', 'umask 077; exec >>"$0" 2>&1; exec "$@"', log];
  const [file = '', ...args] = [...argv.slice(0, split), ...shell, ...argv.slice(split)];
  const child = spawn(file, args, { cwd: '/', env, stdio: 'ignore', detached: true });
  child.unref();
  return new Promise((resolve) => {
    child.once('error', () => resolve(null));
    child.once('exit', resolve);
  });
}

export function hostAlive(pidFile: string): boolean {
  try {
    return isAlive(Number(readFileSync(pidFile, 'utf8').trim()));
  } catch {
    return false;
  }
}

export function isAlive(pid: number): boolean {
  if (!Number.isSafeInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What a log holds past `from`, at most its last 2 KiB. */
function logEnd(path: string, from: number): { size: number; text: string } {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return { size: 0, text: '' };
  }
  try {
    const { size } = fstatSync(fd);
    // Shorter than before: the host has rotated it.
    const start = Math.max(size < from ? 0 : from, size - TAIL_BYTES);
    const bytes = Buffer.alloc(Math.max(0, size - start));
    readSync(fd, bytes, 0, bytes.length, start);
    return { size, text: bytes.toString('utf8') };
  } finally {
    closeSync(fd);
  }
}
