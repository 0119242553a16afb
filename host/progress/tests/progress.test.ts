import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import type { Progress, Said } from '@halfdoor/protocol/host';
import { HeldClock } from '../../../tests/fakes/held-clock.ts';
import { ScriptedChannel } from '../../../tests/fakes/scripted-channel.ts';
import { Central, type Tx } from '../../db/central.ts';
import type { ProgressStyle } from '../../db/schema.ts';
import { Signals } from '../../signals.ts';
import { ProgressTeller } from '../progress.ts';

const AT = '2026-01-02T03:04:05.678Z';
const FROM = { sessionId: 's1', agentId: 'a1' };
const log = { info: () => {}, warn: () => {}, error: () => {}, scope: () => log };

type Chat = { kind: 'dm' | 'group'; progress: ProgressStyle | null };

async function fill(tx: Tx, kind: Chat['kind'], progress: Chat['progress']): Promise<void> {
  const made = { created_at: AT };
  const agent = { id: 'a1', name: 'a', provider: 'mock', sandbox: 'process', ...made } as const;
  await tx.insertInto('agents').values(agent).execute();
  const chat = { id: 'c1', channel: 'scripted', platform_id: 'room', kind, ...made };
  await tx.insertInto('chats').values(chat).execute();
  const wiring = {
    chat_id: 'c1',
    agent_id: 'a1',
    engage: 'always',
    session_mode: 'chat',
    progress,
    ...made,
  } as const;
  await tx.insertInto('wirings').values(wiring).execute();
  const destination = { agent_id: 'a1', local_name: 'room', target_type: 'chat', target_id: 'c1' } as const;
  await tx.insertInto('agent_destinations').values(destination).execute();
  await tx
    .insertInto('sessions')
    .values({ id: 's1', agent_id: 'a1', key: 'k', chat_id: 'c1', run: 0, cursor: 0, ...made })
    .execute();
  const place = { channel: 'scripted', chat: 'room', thread: null };
  const event = {
    id: 'e1',
    ...place,
    platform_id: 'p1',
    kind: 'message',
    version: 0,
    content: '{"text":"hi"}',
  } as const;
  await tx
    .insertInto('events')
    .values({ ...event, received_at: AT })
    .execute();
  const dispatch = { id: 'd1', event_id: 'e1', agent_id: 'a1', session_id: 's1', kind: 'chat', wakes: 1 } as const;
  await tx
    .insertInto('dispatches')
    .values({ ...dispatch, state: 'open', tries: 0 })
    .execute();
}

/** One agent, one session, one chat on a platform that can do everything, in which somebody waits. */
async function stage(t: TestContext, { kind, progress }: Chat) {
  const folder = mkdtempSync(join(tmpdir(), 'hd-progress-'));
  const clock = new HeldClock();
  const signals = new Signals();
  const central = await Central.open(join(folder, 'central.db'), makeDurable(), clock);
  await central.commit('agent', (tx) => fill(tx, kind, progress));
  let ids = 0;
  const host = {
    ...{ name: 'scripted', spool: folder, log, random: () => 0, newId: () => `id-${++ids}` },
    accept: () => assert.fail('nothing comes in'),
    ready: () => {},
    now: () => clock.now(),
    after: (ms: number, fn: () => void) => clock.after(ms, fn),
  };
  const channel = new ScriptedChannel(host);
  const deps = { central, signals, clock, log, newId: host.newId, now: () => AT, hasChannels: () => true };
  const teller = new ProgressTeller({ ...deps, channel: (name) => (name === 'scripted' ? channel : undefined) });
  t.after(async () => {
    await teller.close();
    await central.close();
    rmSync(folder, { recursive: true });
  });
  const show = (state: Progress['state'], detail: string | null = null, said: Said | null = null): Promise<void> => {
    const run = { run: 1, turn: 't1', since: AT };
    signals.emit('progress', { ...FROM, progress: { ...run, state, detail, said } });
    return clock.pass(0);
  };
  const settle = async (): Promise<void> => {
    await central.commit('collect', (tx) => tx.updateTable('dispatches').set({ state: 'done' }).execute());
    signals.emit('settled', { eventIds: ['e1'] });
    await clock.pass(0);
  };
  const texts = (): string[] => channel.board.map((it) => it.text);
  const count = (what: string): number => channel.calls.filter(([it]) => it === what).length;
  const previews = () => central.read.selectFrom('previews').select('platform_id').execute();
  return { ...deps, channel, teller, show, settle, texts, count, previews };
}

const said = (text: string, more: Partial<Said> = {}): Said => ({ to: 'room', reply: 0, at: 0, text, ...more });

test('typing is renewed before it fades, from the first sign of work until the message is settled', async (t) => {
  const { signals, clock, count, settle, show, texts } = await stage(t, { kind: 'group', progress: null });
  signals.emit('session', { ...FROM, state: 'starting' });
  await clock.pass(0);
  assert.equal(count('type'), 1);
  await clock.pass(12_000);
  assert.equal(count('type'), 4);
  await show('writing', null, said('some text'));
  await settle();
  await clock.pass(60_000);
  assert.equal(count('type'), 4);
  assert.deepEqual(texts(), []);
});

test('typing ends when the session sleeps, whatever is still open', async (t) => {
  const { signals, clock, count, show } = await stage(t, { kind: 'dm', progress: 'typing' });
  await show('thinking');
  signals.emit('session', { ...FROM, state: 'asleep' });
  await clock.pass(60_000);
  assert.equal(count('type'), 1);
});

test('off is off', async (t) => {
  const { channel, clock, show, settle } = await stage(t, { kind: 'dm', progress: 'off' });
  await show('tool', 'shell');
  await show('writing', null, said('text'));
  await clock.pass(60_000);
  await settle();
  assert.deepEqual(channel.calls, []);
});

test('steps are one message that changes, not too often, and goes', async (t) => {
  const { clock, show, settle, texts, count, previews } = await stage(t, { kind: 'dm', progress: 'steps' });
  await show('thinking');
  assert.deepEqual(texts(), ['Thinking …']);
  await show('tool', 'shell');
  await show('tool', 'fetch');
  assert.deepEqual(texts(), ['Thinking …']);
  await clock.pass(1_200);
  assert.deepEqual(texts(), ['Running fetch …']);
  assert.equal((await previews()).length, 1);
  await settle();
  assert.deepEqual(texts(), []);
  assert.equal(count('send'), 1);
  assert.deepEqual(await previews(), []);
});

test('a stream shows the text as it grows, marked as unfinished, and only where it is going', async (t) => {
  const { clock, show, settle, texts } = await stage(t, { kind: 'dm', progress: null });
  await show('writing', null, said('Hello'));
  assert.deepEqual(texts(), ['Hello …']);
  await show('writing', null, said('lo, world', { at: 3 }));
  await clock.pass(1_200);
  assert.deepEqual(texts(), ['Hello, world …']);
  await show('writing', null, said('a secret', { to: 'elsewhere', reply: 1 }));
  await clock.pass(1_200);
  assert.deepEqual(texts(), []);
  await settle();
  assert.deepEqual(texts(), []);
});

test('a long text shows its end', async (t) => {
  const { clock, show, texts } = await stage(t, { kind: 'dm', progress: 'stream' });
  await show('thinking');
  for (let at = 0; at < 3_000; at += 500) {
    await show('writing', null, said(`${at}${'x'.repeat(500 - String(at).length)}`, { at }));
    await clock.pass(1_200);
  }
  const [text = ''] = texts();
  assert.ok(text.length <= 1_000 && text.startsWith('… ') && text.endsWith('x …') && text.includes('2500x'), text);
});

test('a platform that asks for time is given it; one that refuses is left alone', async (t) => {
  const { channel, clock, show, texts, count, settle } = await stage(t, { kind: 'dm', progress: 'steps' });
  await show('thinking');
  channel.faults = ['busy'];
  channel.retryAfterMs = 20_000;
  await show('tool', 'one');
  await clock.pass(20_000);
  assert.deepEqual([count('send'), count('edit')], [1, 1]);
  assert.deepEqual(texts(), ['Thinking …']);
  await clock.pass(2_000);
  assert.deepEqual(texts(), ['Running one …']);
  channel.faults = ['refused'];
  await show('tool', 'two');
  await clock.pass(5_000);
  const edits = count('edit');
  await show('tool', 'three');
  await clock.pass(60_000);
  assert.equal(count('edit'), edits);
  await settle();
  assert.deepEqual(texts(), []);
});

test('what a killed host left standing is taken away by the next', async (t) => {
  const { channel, show, texts, previews, ...deps } = await stage(t, { kind: 'dm', progress: 'steps' });
  await show('thinking');
  assert.equal((await previews()).length, 1);
  // The first one is dead: nothing of it runs any more.
  const next = new ProgressTeller({ ...deps, channel: () => channel });
  await next.start();
  assert.deepEqual([texts(), await previews()], [[], []]);
  await next.close();
});
