/** What a message costs must not grow with what was said before it: no query on its way reads a table from end to end. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { realDisk } from '../../files/disk.ts';
import { homeAt } from '../../home.ts';
import { makeIds } from '../../ids.ts';
import { accept } from '../../inbound/accept.ts';
import { collect } from '../../outbound/collect.ts';
import { Deliverer } from '../../outbound/deliver.ts';
import type { Capabilities } from '../../channels/channel.ts';
import { systemClock } from '../../clock.ts';
import type { Aftermath } from '../../inbound/dispatch.ts';
import { Central } from '../central.ts';
import { compiled } from '../compiled.ts';

const AT = '2026-01-02T03:04:05.678Z';
const HOME = { channel: 'terminal', chat: 'a', thread: null };
const GROWING = ['events', 'dispatches', 'deliveries', 'delivery_events', 'sessions', 'runs', 'audit'];

const redact = (text: string): string => text;
const now = (): string => AT;
const ids = makeIds(() => Date.parse(AT));

async function openCentral(t: TestContext): Promise<{ central: Central; path: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'hd-central-'));
  const path = join(folder, 'central.db');
  const central = await Central.open(path, makeDurable(), systemClock);
  t.after(async () => {
    await central.close();
    rmSync(folder, { recursive: true });
  });
  await central.commit('agent', async (tx) => {
    const made = { created_at: AT };
    await tx
      .insertInto('agents')
      .values({ id: 'a1', name: 'a', provider: 'mock', sandbox: 'process', ...made })
      .execute();
    await tx
      .insertInto('chats')
      .values({ id: 'c1', channel: 'terminal', platform_id: 'a', ...made })
      .execute();
    const wiring = { chat_id: 'c1', agent_id: 'a1', engage: 'always', session_mode: 'chat', ...made } as const;
    await tx.insertInto('wirings').values(wiring).execute();
    const destination = { agent_id: 'a1', local_name: 'terminal', target_type: 'chat', target_id: 'c1' } as const;
    await tx.insertInto('agent_destinations').values(destination).execute();
  });
  return { central, path };
}

const disk = { home: homeAt(''), disk: realDisk(), durable: makeDurable() };
const nothingSent = {
  copy: () => Promise.resolve(new Map<number, never>()),
  keep: () => Promise.resolve(),
  drop: (_copies: unknown, error: unknown) => Promise.reject(error),
};

/** One message from accept to the platform's receipt. Returns what the platform was shown. */
async function walk(central: Central, platformId: string): Promise<string[]> {
  const base = { central, ids, now, redact, mayTake: () => true, outbox: nothingSent, ...disk };
  let left: Aftermath | null = null;
  const incoming = { address: HOME, platformId, sender: 'local:1', text: 'hello' };
  const describe = (): Promise<string> => Promise.resolve('');
  const unused = { makeFolder: () => {}, renew: () => {}, describe };
  await accept({ ...base, ...unused, after: (it) => (left = it) }, incoming);
  const [sent] = (left as Aftermath | null)?.enqueue ?? [];
  assert.ok(sent);
  const answers = JSON.stringify([sent.message.id]);
  const said = { id: ids(), run: 1, turn: 't', answers, destination: 'terminal', thread: null, timestamp: AT };
  const messages = [{ ...said, seq: 1, kind: 'message', content: JSON.stringify({ text: 'hi' }) }];
  const acks = [{ seq: 3, message_id: sent.message.id, run: 1, status: 'done', reason: null }];
  const { heads } = await collect(base, sent, 0, { messages, acks, cursor: 3 });
  const shown: string[] = [];
  const channel = {
    name: 'terminal',
    capabilities: { idempotent: false, maxTextLength: 1_000 } as Capabilities,
    ready: () => true,
    status: () => ({ state: 'connected', since: AT, lastError: null }) as const,
    start: () => {},
    stop: () => Promise.resolve(),
    close: () => Promise.resolve(),
    send: (it: { text: string; answers: string[] }) => {
      shown.push(it.text, ...it.answers);
      return Promise.resolve({ status: 'sent' as const, platformId: null });
    },
  };
  await new Promise<void>((resolve) => {
    const log = { error: assert.fail } as never;
    const deps = {
      central,
      channel: () => channel,
      clock: systemClock,
      ids,
      log,
      redact,
      onReceipt: () => resolve(),
      enqueue: () => {},
    };
    const deliverer = new Deliverer(deps);
    for (const head of heads) deliverer.start(head);
  });
  return shown;
}

test('no query on the way of a message reads a growing table from end to end', async (t) => {
  const prepared = t.mock.method(DatabaseSync.prototype, 'prepare');
  const { central, path } = await openCentral(t);
  const before = prepared.mock.callCount();
  const [text, event] = await walk(central, 'm1');
  assert.equal(text, 'hi');
  assert.match(event ?? '', /^[0-9a-f-]{36}$/, 'the reply names what it answers');
  const queries = new Set(prepared.mock.calls.slice(before).map((call) => String(call.arguments[0])));
  assert.ok(queries.size >= 10, [...queries].join('\n'));
  const plain = new DatabaseSync(path, { readOnly: true });
  t.after(() => plain.close());
  for (const query of queries) {
    const plan = plain.prepare(`explain query plan ${query}`).all() as { detail: string }[];
    const scans = plan.map((it) => it.detail).filter((it) => GROWING.some((table) => it.startsWith(`SCAN ${table}`)));
    assert.deepEqual(scans, [], query);
  }
});

test('a compiled query takes its values anew each time and holds its constants in its text', async (t) => {
  const { central } = await openCentral(t);
  const NAMES = compiled((db, it: { kind: 'process' | 'bubblewrap'; than: string }) =>
    db.selectFrom('agents').select('name').where('sandbox', '=', it.kind).where('name', '>=', it.than).limit(1),
  );
  const RENAME = compiled((db, it: { from: string; to: string }) =>
    db.updateTable('agents').set({ name: it.to }).where('name', '=', it.from),
  );
  const all = await NAMES.all(central.read, { kind: 'process', than: 'a' });
  assert.deepEqual(
    all.map((it) => it.name),
    ['a'],
  );
  assert.equal(await NAMES.first(central.read, { kind: 'bubblewrap', than: 'a' }), undefined);
  assert.equal(await NAMES.first(central.read, { kind: 'process', than: 'b' }), undefined);
  const rename = (from: string, to: string) => central.commit('agent', (tx) => RENAME.run(tx, { from, to }));
  assert.equal(await rename('a', "it's; --"), 1);
  assert.equal(await rename('a', 'b'), 0);
  assert.equal((await NAMES.one(central.read, { kind: 'process', than: 'a' })).name, "it's; --");
  await assert.rejects(NAMES.one(central.read, { kind: 'bubblewrap', than: 'a' }), /central lacks a row/);
});
