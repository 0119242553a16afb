/** Files on their way in from a terminal: first the bytes, then the message that brings them. */
import { createWriteStream, existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Hono } from 'hono';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { IncomingFile } from '../channels/channel-host.ts';
import { mimeOf } from '../files/mime.ts';
import type { Home } from '../home.ts';
import type { Ids } from '../ids.ts';
import { Refusal } from '../refusal.ts';
import type { UploadView } from './contract.ts';
import type { Env } from './request.ts';

export type UploadDeps = { home: Home; ids: Ids };

const UPLOAD = /^upload-[0-9a-f-]{36}$/;

export function addUploadRoute(app: Hono<Env>, deps: UploadDeps): void {
  app.post('/v1/uploads', async (c) => c.json(await take(deps, c.env.incoming as unknown as Readable), 201));
}

async function take({ home, ids }: UploadDeps, bytes: Readable): Promise<UploadView> {
  const upload = `upload-${ids()}`;
  const path = join(home.spool, upload);
  try {
    await pipeline(bytes, atMost(LIMITS.attachmentBytes), createWriteStream(path, { flags: 'wx', mode: 0o600 }));
  } catch (error) {
    await rm(path, { force: true });
    if ((error as { code?: string }).code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
    throw new Refusal('bad-input', 'the upload was cut off', 'Send it again.');
  }
  return { upload };
}

function atMost(limit: number) {
  return async function* (source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let bytes = 0;
    for await (const chunk of source) {
      bytes += chunk.length;
      if (bytes > limit) throw new Refusal('too-large', `the file has over ${limit} bytes`, 'Send a smaller one.');
      yield chunk;
    }
  };
}

/** What a message says it brings. Throws `Refusal` for what was never uploaded, or has been taken over already. */
export function uploaded({ home }: UploadDeps, files: unknown): IncomingFile[] {
  if (files === undefined) return [];
  if (!Array.isArray(files)) throw new Refusal('bad-input', 'files is not a list', 'Send [{"upload": …, "name": …}].');
  return files.map((it: unknown) => {
    const { upload, name, mime } = (it ?? {}) as Record<string, unknown>;
    if (typeof upload !== 'string' || !UPLOAD.test(upload) || typeof name !== 'string') {
      throw new Refusal('bad-input', 'a file needs "upload" and "name"', 'Upload it first: POST /v1/uploads.');
    }
    const path = join(home.spool, upload);
    if (!existsSync(path)) throw new Refusal('not-found', `there is no ${upload}`, 'Upload the file again.');
    return { name, mime: typeof mime === 'string' ? mime : mimeOf(name), path };
  });
}
