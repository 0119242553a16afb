import { spawn } from 'node:child_process';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { ensureHome } from '../home-room.ts';
import { closeInherited, hostCommand } from '../host-process.ts';
import { ensureSandboxTools } from '../sandbox-tools.ts';
import { askStatus, ensureHost } from '../start-host.ts';

/** In the foreground until it ends, or with `detach` until it answers. */
export async function start(context: Context, detach: boolean): Promise<void> {
  const running = await askStatus(context);
  if (running && !detach) {
    throw new Failure(`a host already runs on ${context.home} (pid ${running.pid})`, 'Stop it first: ./halfdoor stop');
  }
  if (!detach) return runInForeground(context);
  const { pid, home } = running ?? (await ensureHost(context));
  const started = running === null;
  context.printer.answer(
    { started, pid, home },
    `${started ? 'started' : 'already running'}: pid ${pid}, home ${home}`,
  );
}

async function runInForeground(context: Context): Promise<void> {
  await ensureSandboxTools(context, false);
  const { argv, env } = hostCommand(context);
  ensureHome(context);
  closeInherited();
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { cwd: '/', env, stdio: 'inherit' });
  // The terminal sends Ctrl-C to both of us; the host ends first.
  const ignore = (): void => {};
  const hand = (): void => void child.kill('SIGTERM');
  process.on('SIGINT', ignore);
  process.on('SIGTERM', hand);
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (exitCode) => resolve(exitCode ?? 1));
  });
  if (code !== 0)
    throw new Failure(`the host ended with code ${code}`, 'Its last lines above say why; or look: ./halfdoor doctor');
}
