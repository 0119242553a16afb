/**
 * What stands in a message, fetched into the spool (core.telegram.org/bots/api#getfile: at most 20 MB). A file that
 * cannot be had is no reason to lose the message: it says so in a line of its text.
 */
import { createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { ChannelHost, IncomingFile } from '../channel-host.ts';
import type { BotApi } from './call.ts';
import type { Attached } from './update.ts';

export type Fetched = {
  files: IncomingFile[];
  /** Lines for people. */
  missing: string[];
  /** The network failed, or Telegram did: the same may come the next time. */
  mayComeYet: boolean;
};
type Got = IncomingFile | { why: string; mayComeYet: boolean };

export const FETCH_BYTES = 20 * 1024 * 1024;
const FETCH_MS = 5 * 60_000;

/** Never rejects. */
export async function fetchFiles(host: ChannelHost, api: BotApi, attached: readonly Attached[]): Promise<Fetched> {
  const fetched: Fetched = { files: [], missing: [], mayComeYet: false };
  for (const it of attached) {
    const got = await fetchOne(host, api, it);
    if ('path' in got) fetched.files.push(got);
    else {
      fetched.missing.push(`[${it.what} not taken in: ${got.why}]`);
      fetched.mayComeYet ||= got.mayComeYet;
    }
  }
  return fetched;
}

/** What accept did not take over. */
export async function dropFiles(files: readonly IncomingFile[]): Promise<void> {
  for (const { path } of files) await rm(path, { force: true });
}

async function fetchOne(host: ChannelHost, api: BotApi, { fileId, name, mime, bytes }: Attached): Promise<Got> {
  const tooLarge = { why: 'Telegram gives files over 20 MB to no bot', mayComeYet: false };
  if (bytes !== null && bytes > FETCH_BYTES) return tooLarge;
  const called = await api.call('getFile', { file_id: fileId });
  if (!called.ok) {
    if (called.by === 'telegram' && /too big/.test(called.said)) return tooLarge;
    const mayComeYet = called.by === 'network' || called.code === 429 || called.code >= 500;
    return { why: called.by === 'telegram' ? called.said : 'Telegram was not reached', mayComeYet };
  }
  const { file_path: filePath } = Object(called.result) as { file_path?: unknown };
  if (typeof filePath !== 'string') return { why: 'Telegram does not say where it is', mayComeYet: false };
  const path = join(host.spool, host.newId());
  const limit = new AbortController();
  const timer = host.after(FETCH_MS, () => limit.abort());
  try {
    const content = await api.content(filePath, limit.signal);
    if (content === null) return { why: 'it is not there any more', mayComeYet: false };
    await pipeline(content, atMost(FETCH_BYTES), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
    return { name, mime, path };
  } catch (error) {
    await rm(path, { force: true });
    return error instanceof TooLarge ? tooLarge : { why: 'it broke off on the way', mayComeYet: true };
  } finally {
    timer.cancel();
  }
}

class TooLarge extends Error {}

const atMost = (most: number) =>
  async function* (parts: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    for await (const part of parts) {
      bytes += part.length;
      if (bytes > most) throw new TooLarge();
      yield part;
    }
  };
