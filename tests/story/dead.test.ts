import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import type { ApiError, MessageView } from '../../host/api/contract.ts';
import type { DeadView, ReplayAllView, ReplayView, TraceView } from '../../host/api/operator-contract.ts';
import { openWorld, type World } from '../world/host.ts';
import { distPath } from '../world/programs.ts';

/** A world whose sandboxes cannot start while `broken`, so that anything can be made a dead letter. */
async function openBreakable(t: TestContext): Promise<{ world: World; breakIt(): void; mend(): void }> {
  const dist = mkdtempSync(join(tmpdir(), 'hd-dist-'));
  t.after(() => rmSync(dist, { recursive: true, force: true }));
  cpSync(distPath(), dist, { recursive: true });
  const world = await openWorld(t, { HALFDOOR_DIST: dist });
  await world.createAgent({ name: 'a' });
  const breakIt = (): void => rmSync(join(dist, 'runner.js'));
  const mend = (): void => copyFileSync(join(distPath(), 'runner.js'), join(dist, 'runner.js'));
  return { world, breakIt, mend };
}

const letters = async (world: World): Promise<DeadView[]> => (await world.call<DeadView[]>('GET', '/v1/dead')).body;
const replay = (world: World, id: string) => world.call<ReplayView>('POST', `/v1/dead/${id}/replay`);

async function onlyLetter(world: World): Promise<DeadView> {
  const [it, ...more] = await letters(world);
  assert.ok(it && more.length === 0, JSON.stringify([it, ...more]));
  return it;
}

test('a dead message is taken up again and answered; the old try stays in its trace', async (t) => {
  const { world, breakIt, mend } = await openBreakable(t);
  breakIt();
  const { id } = await world.ask('a', '@reply at last');
  const letter = await onlyLetter(world);
  assert.deepEqual([letter.kind, letter.agent, letter.tries, letter.messages], ['message', 'a', 3, [id]]);
  assert.match(letter.error, /sandbox could not start/);
  assert.equal((await world.status()).open.dead, 1);
  mend();
  const { status, body } = await replay(world, letter.id.slice(0, 35));
  assert.equal(status, 200, JSON.stringify(body));
  const view = await world.settled(id);
  assert.deepEqual([view.status, view.replies.map((it) => it.text)], ['answered', ['at last']]);
  assert.deepEqual(await letters(world), []);
  assert.equal((await world.status()).open.dead, 0);
  const { hops, now } = (await world.call<TraceView>('GET', `/v1/trace/${id}`)).body;
  assert.match(now.text, /^The answer is written and waits/);
  assert.ok(hops.some((it) => it.what === 'replayed' && it.dispatch === letter.id));
  assert.ok(hops.some((it) => it.text.includes(`dead letter ${letter.id} taken up again`)));
});

test('a message that fails again is a dead letter again; one that ends in silence is told as such', async (t) => {
  const { world, breakIt, mend } = await openBreakable(t);
  const { id } = await world.ask('a', '@fail fatal broken');
  const first = await onlyLetter(world);
  await replay(world, first.id);
  assert.equal((await world.settled(id)).status, 'failed');
  const second = await onlyLetter(world);
  assert.notEqual(second.id, first.id);
  await world.call('DELETE', `/v1/dead/${second.id}`);
  await world.call('POST', `/v1/sessions/${(await world.session('a')).id}/stop`);
  breakIt();
  const silent = await world.ask('a', '@silent');
  mend();
  await replay(world, (await onlyLetter(world)).id);
  const view = await world.settled(silent.id);
  assert.equal(view.status, 'no-reply');
  assert.match(view.notices.at(-1)?.text ?? '', /without writing anything/);
});

test('what a person took back or dropped by a clean start is no dead letter', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  await world.send('a', '@slow 60000');
  await world.reply('a', '/stop');
  await world.send('a', '@slow 60000');
  await world.reply('a', '/new');
  assert.deepEqual(await letters(world), []);
});

test('after a clean start a dead message is taken up by the conversation that goes on', async (t) => {
  const { world, breakIt, mend } = await openBreakable(t);
  breakIt();
  const { id } = await world.ask('a', '@reply here');
  const before = await world.session('a');
  await world.reply('a', '/new');
  mend();
  await replay(world, (await onlyLetter(world)).id);
  assert.deepEqual(
    (await world.settled(id)).replies.map((it) => it.text),
    ['here'],
  );
  const after = await world.session('a');
  assert.notEqual(after.id, before.id);
  assert.equal(await world.reply('a', '@reply same one'), 'same one');
  assert.equal((await world.session('a')).id, after.id);
});

test('dropped for good: not listed, not taken up, and on record', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const { id } = await world.ask('a', '@fail fatal broken');
  const letter = await onlyLetter(world);
  assert.equal((await world.call('DELETE', `/v1/dead/${letter.id}`)).status, 200);
  assert.deepEqual(await letters(world), []);
  const again = await world.call<ApiError>('POST', `/v1/dead/${letter.id}/replay`);
  assert.equal(again.status, 404);
  assert.match(again.body.next, /dead list/);
  assert.equal((await world.settled(id)).status, 'failed');
  const { now } = (await world.call<TraceView>('GET', `/v1/trace/${id}`)).body;
  assert.equal(now.text, 'A person ended it for good: the agent failed: broken.');
  await world.end('SIGTERM');
  const central = new DatabaseSync(join(world.home, 'central.db'), { readOnly: true });
  const audit = central.prepare('select actor, action, target, verdict from audit').all();
  central.close();
  const actor = `local:${process.getuid?.()}`;
  assert.deepEqual(
    audit.map((row) => ({ ...row })),
    [{ actor, action: 'drop', target: `message ${letter.id}`, verdict: 'allow' }],
  );
});

/** As a platform that gave an answer of the first agent up after `tries` failed tries would leave it. */
async function giveUp(world: World, delivery: string, tries: number): Promise<void> {
  await world.end('SIGTERM');
  const central = new DatabaseSync(join(world.home, 'central.db'));
  central
    .prepare(`update deliveries set state = 'dead', tries = ?, reason = 'no such chat', settled_at = ? where id = ?`)
    .run(tries, new Date().toISOString(), delivery);
  central.close();
  await world.start();
}

test('a dead delivery goes to the end of its queue, marked when an attempt may have arrived', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const deliveries: string[] = [];
  for (const text of ['refused', 'unsure']) {
    const view: MessageView = await world.ask('a', `@reply ${text}`);
    deliveries.push(view.replies[0]?.delivery ?? '');
  }
  await giveUp(world, deliveries[0] ?? '', 0);
  await giveUp(world, deliveries[1] ?? '', 5);
  await world.reply('a', '@reply waits');
  const found = await letters(world);
  assert.deepEqual(
    found.map((it) => [it.id, it.kind, it.tries, it.to, it.text]),
    [
      [deliveries[0], 'delivery', 1, 'terminal:a', 'refused'],
      [deliveries[1], 'delivery', 6, 'terminal:a', 'unsure'],
    ],
  );
  const { now } = (await world.call<TraceView>('GET', `/v1/trace/${found[0]?.messages[0]}`)).body;
  assert.equal(now.text, 'The answer is written, but terminal:a did not take it: no such chat.');
  const { body } = await world.call<ReplayAllView>('POST', '/v1/dead/replay');
  assert.deepEqual(
    body.replayed.map((it) => it.mayBeDuplicate),
    [false, true],
  );
  const chat = world.chat('a');
  await chat.until(() => (chat.texts.length >= 3 ? true : undefined));
  const shown = chat.events.flatMap((it) => (it.type === 'message' ? [[it.text, it.mayBeDuplicate]] : []));
  assert.deepEqual(shown, [
    ['waits', false],
    ['refused', false],
    ['unsure', true],
  ]);
  chat.close();
});

test('all of them at once, each once', async (t) => {
  const { world, breakIt, mend } = await openBreakable(t);
  breakIt();
  const ids: string[] = [];
  for (let n = 0; n < 3; n++) ids.push((await world.ask('a', `@reply n${n}`)).id);
  const dead = await letters(world);
  mend();
  const { body } = await world.call<ReplayAllView>('POST', '/v1/dead/replay');
  assert.deepEqual([body.replayed.map((it) => it.id), body.left], [dead.map((it) => it.id), []]);
  // Three in one turn are answered together: each answer is linked to all of them.
  const views = await Promise.all(ids.map((id) => world.settled(id)));
  const replies = new Map(views.flatMap((it) => it.replies.map((reply) => [reply.delivery, reply.text])));
  assert.deepEqual([...replies.values()], ['n0', 'n1', 'n2']);
  assert.deepEqual((await world.call<ReplayAllView>('POST', '/v1/dead/replay')).body, { replayed: [], left: [] });
});

test('kill -9 around taking up again: it is a dead letter still or answered once, never both and never neither', async (t) => {
  const { world, breakIt, mend } = await openBreakable(t);
  for (const waitsForAnswer of [true, false, false, false]) {
    breakIt();
    const { id } = await world.ask('a', '@reply once');
    mend();
    const { id: letter } = await onlyLetter(world);
    const asked = replay(world, letter).catch(() => null);
    if (waitsForAnswer) await asked;
    await world.restart('SIGKILL');
    await asked;
    const left = await letters(world);
    assert.ok(left.length <= 1);
    if (left.length === 1) await replay(world, letter);
    assert.deepEqual(
      (await world.settled(id)).replies.map((it) => it.text),
      ['once'],
    );
    assert.deepEqual(await letters(world), []);
    // A run that is up would answer the next one before it can die.
    await world.call('POST', `/v1/sessions/${(await world.session('a')).id}/stop`);
  }
});
