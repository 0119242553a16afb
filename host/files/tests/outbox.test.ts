/** What an agent may have kept for it, with a disk and a reader that only count. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { OutboundMessage } from '@halfdoor/protocol/message';
import { systemClock } from '../../clock.ts';
import { Central } from '../../db/central.ts';
import { makeIds } from '../../ids.ts';
import { makeLog } from '../../log.ts';
import type { OutboundReader, PieceResult } from '../../outbound/reader.ts';
import type { Disk } from '../disk.ts';
import { Outbox } from '../outbox.ts';

const AT = '2026-01-02T03:04:05.678Z';
const FROM = { sessionId: 's', agentId: 'a' };
const LARGEST = LIMITS.outboundFileBytes;
const ROOM_FOR = Math.floor(LIMITS.outboxBytes / LARGEST);

async function open(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'hd-outbox-'));
  const central = await Central.open(join(folder, 'central.db'), makeDurable(), systemClock);
  t.after(async () => {
    await central.close();
    rmSync(folder, { recursive: true });
  });
  await central.commit('agent', async (tx) => {
    const agent = { id: 'a', name: 'a', provider: 'mock', sandbox: 'process', created_at: AT } as const;
    await tx
      .insertInto('agents')
      .values({ ...agent, model: null, base_url: null, api: null })
      .execute();
    await tx.insertInto('chats').values({ id: 'c', channel: 'far', platform_id: 'c', created_at: AT }).execute();
    const destination = { agent_id: 'a', local_name: 'far', target_type: 'chat', target_id: 'c' } as const;
    await tx.insertInto('agent_destinations').values(destination).execute();
    const session = { id: 's', agent_id: 'a', key: 'k', chat_id: 'c', created_at: AT } as const;
    await tx
      .insertInto('sessions')
      .values({ ...session, run: 1, cursor: 0 })
      .execute();
  });
  const written = new Set<string>();
  const pieces: PieceResult[] = [];
  const disk: Disk = {
    makeFolder: (path) => Promise.resolve(void written.add(basename(path))),
    bytesOf: () => Promise.resolve(0),
    write: () => Promise.resolve(LARGEST),
    take: () => Promise.resolve(),
    sync: () => Promise.resolve(),
    remove: (path) => Promise.resolve(void written.delete(basename(path))),
  };
  const large: PieceResult = { ok: true, size: LARGEST, seen: '', bytes: new Uint8Array() };
  const reader = { piece: () => Promise.resolve(pieces.shift() ?? large) } as unknown as OutboundReader;
  const log = makeLog(
    () => {},
    systemClock.now,
    (text) => text,
  );
  const ids = makeIds(() => Date.parse(AT));
  const outbox = new Outbox({
    ...{ folder, central, reader, disk, ids, log, durable: makeDurable() },
    isOpenedInPlace: () => false,
  });
  return { central, outbox, written, pieces };
}

const message = (seq: number, files: string[], destination = 'far'): OutboundMessage => ({
  ...{ seq, id: `m${seq}`, run: 1, turn: 't', answers: [], timestamp: AT, thread: null, text: '' },
  kind: 'message',
  destination,
  files,
});

/** Sends one as collect does. Returns why it was not sent, or its delivery. */
async function send({ central, outbox }: Awaited<ReturnType<typeof open>>, seq: number, state: 'queued' | 'delivered') {
  const copied = (await outbox.copy(FROM, [message(seq, ['f'])])).get(seq);
  if (copied?.refused !== null) return copied?.refused.reason;
  const id = copied.delivery;
  await central.commit('collect', async (tx) => {
    const row = { id, session_id: 's', agent_id: 'a', seq, channel: 'far', chat: 'c', content: '{}', created_at: AT };
    await tx
      .insertInto('deliveries')
      .values({ ...row, state, tries: 0, may_be_duplicate: 0 })
      .execute();
    await outbox.keep(tx, FROM, seq, copied);
  });
  return id;
}

test('what waits is kept, and past the limit no more is taken; the agent is told what room there is', async (t) => {
  const it = await open(t);
  for (let n = 0; n < ROOM_FOR; n++) assert.match((await send(it, 2 * n + 1, 'queued')) ?? '', /^[0-9a-f-]{36}$/);
  const left = LIMITS.outboxBytes - ROOM_FOR * LARGEST;
  assert.equal(
    await send(it, 999, 'queued'),
    `file "f" was not taken: files of yours that wait to be delivered leave room for ${left} bytes`,
  );
  assert.equal(it.written.size, ROOM_FOR);
});

test('of what has arrived the oldest makes room', async (t) => {
  const it = await open(t);
  const first = await send(it, 1, 'queued');
  const second = await send(it, 3, 'delivered');
  for (let n = 2; n < ROOM_FOR; n++) await send(it, 2 * n + 1, 'delivered');
  await send(it, 999, 'queued');
  assert.equal(it.written.size, ROOM_FOR);
  assert.ok(it.written.has(String(first)) && !it.written.has(String(second)));
});

test('for a destination it does not have nothing is copied; of a message refused half way nothing is left', async (t) => {
  const { outbox, written, pieces } = await open(t);
  assert.equal((await outbox.copy(FROM, [message(1, ['f'], 'nowhere')])).size, 0);
  const gone: PieceResult = { ok: false, failure: 'gone', detail: 'there is no such file' };
  pieces.push({ ok: true, size: 1, seen: '', bytes: new Uint8Array(1) }, gone);
  const copied = (await outbox.copy(FROM, [message(1, ['f', 'g'])])).get(1);
  assert.match(copied?.refused?.reason ?? '', /"g" was not taken: there is no such file/);
  assert.equal(written.size, 0);
});

test('a reader that gives no answer says nothing of the file: the rows are read again', async (t) => {
  const { outbox, written, pieces } = await open(t);
  const silent: PieceResult = { ok: false, failure: 'timeout', detail: 'the host is ending' };
  for (let n = 0; n < 10; n++) pieces.push(silent);
  await assert.rejects(outbox.copy(FROM, [message(1, ['f'])]), /no answer: the host is ending/);
  assert.equal(written.size, 0);
});
