import { resolve } from 'node:path';
import type { MountView } from '../../host/api/contract.ts';
import { warn } from '../chat/folder.ts';
import type { Context } from '../context.ts';
import { table } from '../printer.ts';
import { withHost } from '../reach.ts';
import { ensureHost } from '../start-host.ts';

/** Starts a host if none runs. */
export async function allowMount(context: Context, path: string): Promise<void> {
  await ensureHost(context);
  const input = { path: resolve(context.cwd, path) };
  const mount = await withHost(context, () => context.api.call<MountView>('POST', '/v1/mounts', input));
  context.printer.answer(mount, `agents may be given ${mount.path}\nGive it: halfdoor chat AGENT --dir ${mount.path}`);
  warn(context, mount);
}

export async function listMounts(context: Context): Promise<void> {
  const mounts = await withHost(context, () => context.api.call<MountView[]>('GET', '/v1/mounts'));
  const rows = mounts.map((it) => [it.path, String(it.sessions.length), it.allowedAt]);
  const none = 'no folder may be given to agents; allow one: halfdoor mounts allow PATH';
  context.printer.answer(mounts, rows.length === 0 ? none : table([['PATH', 'SESSIONS', 'ALLOWED'], ...rows]));
}

export async function removeMount(context: Context, path: string): Promise<void> {
  const input = { path: resolve(context.cwd, path) };
  const mount = await withHost(context, () => context.api.call<MountView>('DELETE', '/v1/mounts', input));
  const n = mount.sessions.length;
  const cutOff = n === 0 ? '' : `; ${n} session${n === 1 ? '' : 's'} that had it ended work there at once`;
  context.printer.answer(mount, `agents may not be given ${mount.path} any more${cutOff}`);
}
