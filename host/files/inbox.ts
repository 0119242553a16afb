/**
 * What comes with messages. It is the host's own and synced before the event that names it; a session reads it through
 * second names in its in/files/, which are made again as often as needed.
 */
import { copyFileSync, linkSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Durable } from '@halfdoor/protocol/durable';
import { fittingMime, fittingName, freeName, type InboundFile } from '@halfdoor/protocol/file';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { NewInbound } from '@halfdoor/protocol/message';
import type { IncomingFile } from '../channels/channel-host.ts';
import type { Home } from '../home.ts';
import { sessionPaths } from '../home.ts';
import { Refusal } from '../refusal.ts';
import { isNoLink, type Disk } from './disk.ts';

export type InboxDeps = { home: Home; disk: Disk; durable: Durable };

const BELOW = join('in', 'files');

/** Throws `Refusal` for more than a message may bring. */
export function checkNumber(files: readonly IncomingFile[]): void {
  if (files.length <= LIMITS.attachments) return;
  const said = `the message brings ${files.length} files; at most ${LIMITS.attachments} are taken`;
  throw new Refusal('too-large', said, 'Send it in parts.');
}

/**
 * Keeps `files` for the event while `commit` writes its row, and lets go of them again when it was there already or is
 * not written. Once it is written, what they were made from is removed.
 */
export async function keeping<T extends { accepted: { repeated: boolean } }>(
  deps: InboxDeps,
  eventId: string,
  files: readonly IncomingFile[],
  commit: (kept: InboundFile[]) => Promise<T>,
): Promise<T> {
  if (files.length === 0) return commit([]);
  const { disk, home } = deps;
  const folder = join(home.inbox, eventId);
  // What cannot be removed now is swept at the next start: that must not undo what is committed.
  const letGo = (path: string): Promise<void> => disk.remove(path).catch(() => undefined);
  try {
    const result = await commit(await keep(deps, eventId, files));
    if (result.accepted.repeated) await letGo(folder);
    for (const it of files) await letGo(it.path);
    return result;
  } catch (error) {
    await letGo(folder);
    throw error;
  }
}

async function keep({ home, disk, durable }: InboxDeps, eventId: string, files: readonly IncomingFile[]) {
  const folder = join(home.inbox, eventId);
  const sizes: number[] = [];
  for (const file of files) sizes.push(await sizeOf(disk, file));
  return durable('attachments', async () => {
    const kept: InboundFile[] = [];
    await disk.makeFolder(folder);
    for (const [n, file] of files.entries()) {
      const shown = fittingName(file.name);
      const name = freeName(shown, (it) => kept.some(({ path }) => path.endsWith(`/${it}`)));
      await disk.take(file.path, join(folder, name));
      kept.push({ name: shown, mime: fittingMime(file.mime), bytes: sizes[n] ?? 0, path: join(BELOW, eventId, name) });
    }
    await disk.sync(folder);
    await disk.sync(home.inbox);
    return kept;
  });
}

async function sizeOf(disk: Disk, { name, path }: IncomingFile): Promise<number> {
  const size = await disk.bytesOf(path);
  if (size <= LIMITS.attachmentBytes) return size;
  const said = `the file ${JSON.stringify(fittingName(name))} has ${size} bytes; at most ${LIMITS.attachmentBytes} are taken`;
  throw new Refusal('too-large', said, 'Send a smaller one.');
}

/** Gives a session what these messages bring, before it reads of it. What is gone from the inbox stays away. */
export function place(home: Home, sessionId: string, messages: readonly NewInbound[]): void {
  for (const it of messages) {
    if (it.kind === 'control') continue;
    for (const { path } of it.files ?? []) placeOne(home, sessionId, path);
  }
}

/** The host's own of a file that a session reads at `path`. */
export const inboxPath = (home: Home, path: string): string => join(home.inbox, path.slice(BELOW.length));

function placeOne(home: Home, sessionId: string, path: string): void {
  const to = join(sessionPaths(home, sessionId).folder, path);
  const from = inboxPath(home, path);
  mkdirSync(dirname(to), { recursive: true, mode: 0o700 });
  try {
    linkSync(from, to);
  } catch (error) {
    const { code } = error as { code?: string };
    if (isNoLink(error)) copyFileSync(from, to);
    else if (code !== 'EEXIST' && code !== 'ENOENT') throw error;
  }
}
