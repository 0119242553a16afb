/** `logs`: the end of host.log for people, and with `follow` what comes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { homeAt } from '../../host/home.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { raw, readable } from '../logs/line.ts';
import { LogFile } from '../logs/log-file.ts';
import { findServiceUser } from '../service-user.ts';

export type LogsOptions = { follow: boolean; lines: string };

const LOOK_MS = 200;
const MAX_LINES = 100_000;

/** Until Ctrl-C with `follow`. Throws `Failure` when there is no log and none is waited for. */
export async function logs(context: Context, { follow, lines }: LogsOptions): Promise<void> {
  const count = Number(lines);
  if (!/^\d+$/.test(lines) || count > MAX_LINES) {
    throw new Failure(`${JSON.stringify(lines)} is not a number of lines`, 'Give one, for example: -n 100', 2);
  }
  const { log } = homeAt(context.home);
  const file = new LogFile(log, context.uid === 0 ? (findServiceUser()?.uid ?? 0) : context.uid);
  const said = file.last(count);
  if (said === null && !follow) {
    throw new Failure(`there is no log at ${log}`, 'A host started detached writes one: ./halfdoor start --detach');
  }
  await show(context, said ?? []);
  if (!follow) return;
  if (said === null) context.printer.note(`There is no log at ${log} yet: waiting for a host to begin one.`);
  for (;;) {
    await sleep(LOOK_MS);
    await show(context, file.more());
  }
}

/** Waits for a reader that is slower than the file. */
async function show({ printer }: Context, lines: readonly string[]): Promise<void> {
  if (lines.length === 0) return;
  const text = lines.map((it) => `${printer.json ? raw(it) : readable(it)}\n`).join('');
  if (!process.stdout.write(text)) await new Promise((resolve) => process.stdout.once('drain', resolve));
}
