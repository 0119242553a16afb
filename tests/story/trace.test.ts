import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { ApiError } from '../../host/api/contract.ts';
import type { TraceHop, TraceView } from '../../host/api/operator-contract.ts';
import { openWorld, type World } from '../world/host.ts';
import { distPath } from '../world/programs.ts';

const HOUR_MS = 3_600_000;

async function trace(world: World, id: string): Promise<TraceView> {
  const { status, body } = await world.call<TraceView>('GET', `/v1/trace/${id}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

const kinds = (view: TraceView): TraceHop['what'][] => view.hops.map((it) => it.what);
const hop = (view: TraceView, what: TraceHop['what']): TraceHop => {
  const found = view.hops.find((it) => it.what === what);
  assert.ok(found, `no ${what} in ${JSON.stringify(view.hops, null, 1)}`);
  return found;
};

test('answered: every step in order, with its times, from accept to receipt', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const id = await world.send('a', '@reply hello', 'my-id');
  await world.settled(id);
  await chat.until(() => (chat.texts.length > 0 ? true : undefined));
  await world.reply('a', '@reply the first is confirmed by now');
  const view = await trace(world, id.slice(0, 35));
  assert.equal(view.id, id);
  assert.deepEqual(kinds(view), ['accepted', 'routed', 'projected', 'run', 'wrote', 'settled', 'delivered']);
  assert.match(hop(view, 'accepted').text, /^from local:\d+ \(owner\) in terminal:a, id my-id$/);
  assert.match(hop(view, 'routed').text, /^agent a, session .*: it is wired to terminal:a and takes up every message/);
  assert.match(hop(view, 'projected').text, /^in inbound\.db as #2$/);
  assert.equal(hop(view, 'run').text, 'run 1 began');
  assert.match(hop(view, 'wrote').text, /^#3 to "terminal" \(terminal:a\): allowed$/);
  assert.equal(hop(view, 'wrote').body, 'hello');
  const offsets = view.hops.flatMap((it) => it.afterMs ?? []);
  assert.deepEqual(
    offsets,
    offsets.toSorted((a, b) => a - b),
  );
  assert.deepEqual(view.now, { standing: 'answered', text: 'a answered with one message, delivered.', next: null });
  chat.close();
});

test('nobody is connected: the answer waits and says how to see it', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const { id } = await world.ask('a', '@reply hello');
  const { now, hops } = await trace(world, id);
  assert.equal(now.standing, 'undelivered');
  assert.equal(now.text, 'The answer is written and waits: nobody is connected to terminal:a.');
  assert.equal(now.next, './halfdoor chat a');
  assert.equal(hops.at(-1)?.text, '#3 waits');
});

test('no reply: what the agent wrote to nobody is shown, here and nowhere else', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const { id } = await world.ask('a', '@raw I think about it');
  const view = await trace(world, id);
  assert.equal(view.now.standing, 'no-reply');
  assert.equal(view.now.text, 'a finished without writing anything to anybody.');
  assert.match(hop(view, 'notes').body ?? '', /I think about it/);
  assert.match(hop(view, 'settled').text, /^done by a \(no-reply\)$/);
  assert.match(hop(view, 'notice').body ?? '', /without writing anything/);
});

test('no destination: the sentence names whom the agent wrote to', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const { id } = await world.ask('a', '@to nowhere lost words');
  const view = await trace(world, id);
  assert.equal(view.now.standing, 'no-reply');
  assert.match(view.now.text, /^a wrote, but to somebody it cannot reach: no destination named "nowhere"\.$/);
  assert.match(view.now.next ?? '', /halfdoor agents get a$/);
  assert.match(hop(view, 'notes').body ?? '', /\(no destination "nowhere"\) lost words/);
});

test('a failing provider: each kind is told with its own next step', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const cases: [text: string, sentence: RegExp, next: RegExp][] = [
    ['@fail auth bad key', /^a gave no answer: .*bad key\.$/, /KEY|secrets/],
    ['@fail fatal broken', /^a gave no answer: the agent failed: broken\.$/, /again/],
    ['@fail transient busy', /^a gave no answer: the model could not be reached: busy\.$/, /endpoint/],
  ];
  for (const [text, sentence, next] of cases) {
    const { id } = await world.ask('a', text);
    const { now } = await trace(world, id);
    assert.equal(now.standing, 'failed');
    assert.match(now.text, sentence);
    assert.match(now.next ?? '', next);
    assert.match(now.next ?? '', /halfdoor dead replay [0-9a-f-]{36}$/);
  }
});

test('parked for quota: until when, why, and what can be done at once; nothing runs for it', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const at = new Date(Date.now() + 3_600_000).toISOString();
  const id = await world.send('a', `@fail quota*1 at=${at} the credit is used up\n@reply hello`);
  await chat.until((events) => events.find((it) => it.type === 'progress' && it.state === 'parked'));
  const view = await trace(world, id);
  assert.equal(view.now.standing, 'waiting');
  assert.equal(view.now.text, `It waits for the model's quota until ${at}: the credit is used up.`);
  assert.match(view.now.next ?? '', /\.\/halfdoor agents update a --model MODEL\. \.\/halfdoor sessions stop /);
  assert.equal(
    hop(view, 'parked').text,
    `the model's quota was used up (the credit is used up): it waits, until ${at}`,
  );
  assert.equal(view.hops.findLast((it) => it.what === 'run')?.text, 'run 1 ended: parked');
  await world.call('PATCH', '/v1/agents/a', { instructions: 'try at once' });
  await world.settled(id);
  assert.equal(hop(await trace(world, id), 'parked').text, `the model's quota was used up: it waits`);
  chat.close();
});

test('a delivery that a platform refused for now: tries, reason and when the next is due; a restart keeps the date', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const { id, replies } = await world.ask('a', '@reply hello');
  const setDue = async (ms: number): Promise<string> => {
    await world.end('SIGTERM');
    const due = new Date(Date.now() + ms).toISOString();
    const central = new DatabaseSync(join(world.home, 'central.db'), { timeout: 5_000 });
    central
      .prepare(`update deliveries set tries = 2, reason = 'the platform is busy', due_at = ? where id = ?`)
      .run(due, replies[0]?.delivery ?? '');
    central.close();
    await world.start();
    return due;
  };
  // Far enough ahead for a machine of any speed, then near enough to be waited for.
  const due = await setDue(HOUR_MS);
  const early = world.chat('a');
  await early.until((events) => events.find((it) => it.type === 'ready'));
  const view = await trace(world, id);
  assert.deepEqual(early.texts, []);
  assert.equal(view.now.standing, 'undelivered');
  assert.equal(
    view.now.text,
    `terminal:a did not take the answer: the platform is busy; try 2 of 6 failed, the next is due at ${due}.`,
  );
  assert.equal(view.now.next, 'It is tried again by itself.');
  early.close();
  const soon = await setDue(1_500);
  const chat = world.chat('a');
  await chat.until(() => (chat.texts.includes('hello') ? true : undefined));
  assert.ok(Date.now() >= Date.parse(soon));
  chat.close();
});

test('a sandbox that cannot start: the sentence says why, each try is listed', async (t) => {
  const dist = mkdtempSync(join(tmpdir(), 'hd-dist-'));
  t.after(() => rmSync(dist, { recursive: true, force: true }));
  cpSync(distPath(), dist, { recursive: true });
  const world = await openWorld(t, { HALFDOOR_DIST: dist });
  await world.createAgent({ name: 'a' });
  rmSync(join(dist, 'runner.js'));
  const { id } = await world.ask('a', '@reply hello');
  const view = await trace(world, id);
  assert.equal(view.now.standing, 'dead');
  assert.match(
    view.now.text,
    /^a gave no answer: the sandbox could not start: there is no runner at .*; given up after 3 tries\.$/,
  );
  const tries = view.hops.filter((it) => it.what === 'tried').map((it) => it.text);
  assert.deepEqual(
    tries.map((text) => text.replace(/: there is .*\(/, ' … (')),
    ['run 1 ended on it … (try 1)', 'run 2 ended on it … (try 2)', 'run 3 ended on it … (try 3)'],
  );
});

test('a run that died three times: how each ended', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const { id } = await world.ask('a', '@die');
  const view = await trace(world, id);
  assert.equal(view.now.standing, 'dead');
  assert.equal(
    view.now.text,
    'a gave no answer: its run died each time it worked on this (signal SIGKILL, signal SIGKILL, signal SIGKILL); given up after 3 tries.',
  );
  assert.match(view.now.next ?? '', /\/new/);
  assert.deepEqual(
    view.hops.flatMap((it) => (it.what === 'tried' ? [it.text] : [])),
    [1, 2, 3].map((n) => `run ${n} ended on it: signal SIGKILL (try ${n})`),
  );
});

test('at work: which run claims it, with which tool; the one behind it is not taken up yet', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const id = await world.send('a', '@shell sleep 60');
  await chat.until((events) => events.find((it) => it.type === 'progress' && it.state === 'tool'));
  const view = await trace(world, id);
  assert.equal(view.now.standing, 'working');
  assert.match(view.now.text, /^a is at work on it in run 1, with shell\.$/);
  assert.match(view.now.next ?? '', /halfdoor sessions stop/);
  assert.match(hop(view, 'claimed').text, /^by run 1, as its heartbeat last said; it is at tool, shell$/);
  await world.reply('a', '/stop');
  chat.close();
});

test('waiting its turn: its place among those who wait', async (t) => {
  const world = await openWorld(t);
  const names = Array.from({ length: 10 }, (_, n) => `agent${n}`);
  for (const name of names) await world.createAgent({ name });
  const chats = names.map((name) => world.chat(name));
  for (const name of names.slice(0, 8)) await world.send(name, '@shell sleep 60');
  for (const chat of chats.slice(0, 8)) {
    await chat.until((events) => events.find((it) => it.type === 'progress' && it.state === 'tool'));
  }
  const ids: string[] = [];
  for (const name of names.slice(8)) {
    ids.push(await world.send(name, '@reply x'));
    await chats[8 + ids.length - 1]?.until((events) =>
      events.find((it) => it.type === 'progress' && it.state === 'queued'),
    );
  }
  const { now } = await trace(world, ids[1] ?? '');
  assert.equal(now.standing, 'waiting');
  assert.match(now.text, /^It waits for a sandbox: place 2 of 2 among those that wait, as at most 8 run at once\.$/);
  for (const name of names.slice(0, 8)) await world.reply(name, '/stop');
  for (const id of ids) assert.equal((await world.settled(id)).status, 'answered');
  for (const chat of chats) chat.close();
});

test('taken back by /stop, dropped by /new', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const stopped = await world.send('a', '@shell sleep 60');
  await chat.until((events) => events.find((it) => it.type === 'progress' && it.state === 'tool'));
  const command = await world.ask('a', '/stop');
  const ofStopped = await trace(world, stopped);
  assert.equal(ofStopped.now.standing, 'stopped');
  assert.equal(ofStopped.now.text, 'It was taken back by /stop before it was answered.');
  await chat.until(() => (chat.texts.includes('Stopped.') ? true : undefined));
  await world.reply('a', '@reply all before is confirmed');
  assert.equal((await trace(world, command.id)).now.text, 'It was carried out.');
  const dropped = await world.send('a', '@slow 60000');
  const afresh = await world.ask('a', '/new');
  const ofDropped = await trace(world, dropped);
  assert.equal(ofDropped.now.standing, 'dropped');
  assert.equal(ofDropped.now.text, 'It was dropped by /new: a new conversation began before this was answered.');
  await world.reply('a', '@reply again all is confirmed');
  const { now } = await trace(world, afresh.id);
  assert.equal(now.text, 'The host did what /new says and answered.');
  chat.close();
});

test('a repeated id is one message and the trace counts how often it came', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const id = await world.send('a', '@reply once', 'the-id');
  for (let n = 0; n < 2; n++) assert.equal(await world.send('a', '@reply once', 'the-id'), id);
  await world.settled(id);
  const view = await trace(world, id);
  assert.match(view.now.text, / The same id came 3 times: it is one message\.$/);
  assert.match(hop(view, 'repeated').text, /^the same id came 2 times more/);
});

test('an id of nobody, too short a beginning, and one that several share', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const ids = [(await world.ask('a', '@reply 1')).id, (await world.ask('a', '@reply 2')).id];
  const cases: [string, number, RegExp][] = [
    ['0123', 404, /no message 0123/],
    ['%', 404, /no message/],
    [ids[0]?.slice(0, 3) ?? '', 404, /no message/],
    [ids[0]?.slice(0, 4) ?? '', 400, /several messages begin with/],
  ];
  for (const [id, status, error] of cases) {
    const answer = await world.call<ApiError>('GET', `/v1/trace/${encodeURIComponent(id)}`);
    assert.equal(answer.status, status, id);
    assert.match(answer.body.error, error);
    assert.ok(answer.body.next.length > 0);
  }
});
