/** Runs that do not end by themselves and do not go on either: each is ended, told by name, and the session goes on. */
// needs: userns
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { MessageView } from '../../host/api/contract.ts';
import type { TraceView } from '../../host/api/operator-contract.ts';
import { openModelEndpoint, type Answer } from '../fakes/model-endpoint.ts';
import { appears } from '../world/appears.ts';
import { openSteered, openWorld, type World } from '../world/host.ts';
import { killOne } from '../world/kill.ts';
import { bunPath, distPath } from '../world/programs.ts';

/** A runner of its own, which the test can put another program in the place of. */
function ownDist(t: TestContext): { dist: string; replace(text: string): void; mend(): void } {
  const dist = mkdtempSync(join(tmpdir(), 'hd-dist-'));
  t.after(() => rmSync(dist, { recursive: true, force: true }));
  cpSync(distPath(), dist, { recursive: true });
  const runner = join(dist, 'runner.js');
  return {
    dist,
    replace: (text) => (rmSync(runner), writeFileSync(runner, text)),
    mend: () => cpSync(join(distPath(), 'runner.js'), runner),
  };
}

async function triesOf(world: World, id: string): Promise<string[]> {
  const { hops } = (await world.call<TraceView>('GET', `/v1/trace/${id}`)).body;
  return hops.flatMap((it) => (it.what === 'tried' ? [it.text] : []));
}

/** Steers until the message is settled: whatever waits for exactly so long is over, again and again. */
async function settledBy(world: World, id: string, waitMs: number): Promise<MessageView> {
  for (;;) {
    await world.steer(`end ${waitMs}`);
    const { body } = await world.call<MessageView>('GET', `/v1/messages/${id}?wait=50`);
    if (body.status !== 'accepted') return body;
  }
}

test('a sandbox that starts and never gets ready: three tries, told by name, and the next message is answered', async (t) => {
  const { dist, replace, mend } = ownDist(t);
  const world = await openSteered(t, { HALFDOOR_DIST: dist });
  await world.createAgent({ name: 'a' });
  replace('setInterval(() => {}, 1e9);');
  const id = await world.send('a', '@reply hello');
  const view = await settledBy(world, id, 1_000);
  assert.match(view.error ?? '', /the sandbox started and never got ready/);
  assert.match(view.next ?? '', /host\.log/);
  assert.equal(view.notices.length, 1);
  assert.deepEqual(
    await triesOf(world, id),
    [1, 2, 3].map((n) => `run ${n} ended on it: unready (try ${n})`),
  );
  mend();
  assert.equal(await world.reply('a', '@reply still here'), 'still here');
});

test('a sandbox that ends as soon as it has begun: three tries, told by name, and the next message is answered', async (t) => {
  const { dist, replace, mend } = ownDist(t);
  const world = await openWorld(t, { HALFDOOR_DIST: dist });
  await world.createAgent({ name: 'a' });
  replace('process.exit(7);');
  const view = await world.ask('a', '@reply hello');
  assert.match(view.error ?? '', /run died each time it worked on this: exit 7/);
  assert.equal((await world.session('a')).run, 3);
  mend();
  assert.equal(await world.reply('a', '@reply still here'), 'still here');
});

// A runner that cannot write gives up after five seconds too.
const ENDED = {
  'in/inbound.db': /^run 1 ended on it: locked \(try 1\)$/,
  'out/outbound.db': /^run 1 ended on it: (locked|exit 1) \(try 1\)$/,
};

for (const [file, ended] of Object.entries(ENDED)) {
  test(`something inside holds ${file} locked: the run is ended, and the message tried again`, async (t) => {
    const world = await openWorld(t);
    await world.createAgent({ name: 'a', sandbox: 'bubblewrap' });
    await world.reply('a', '@reply warm');
    const { folder } = await world.session('a');
    writeFileSync(join(folder, 'work', 'hold.ts'), holding(file));
    const first = await world.send('a', '@shell /app/bun /s/work/hold.ts\n@reply one');
    await appears(join(folder, 'work'), 'held');
    const second = await world.send('a', '@reply two');
    for (const id of [first, second]) assert.equal((await world.settled(id, 120_000)).status, 'answered');
    assert.match((await triesOf(world, first)).join('\n'), ended);
  });
}

test('in/inbound.db is held locked by one that has stopped its runner: the others are answered all the while', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a', sandbox: 'bubblewrap' });
  await world.createAgent({ name: 'b' });
  await Promise.all(['a', 'b'].map((name) => world.reply(name, '@reply warm')));
  const { folder } = await world.session('a');
  writeFileSync(join(folder, 'work', 'hold.ts'), holding('in/inbound.db'));
  const first = await world.send('a', '@shell /app/bun /s/work/hold.ts $PPID\n@reply one');
  await appears(join(folder, 'work'), 'held');
  const second = await world.send('a', '@reply two');
  const both = Promise.all([first, second].map((id) => world.settled(id)));
  const isOver = (): Promise<boolean> => Promise.race([both.then(() => true), setImmediate(false)]);
  for (let i = 0; !(await isOver()); i++) assert.equal(await world.reply('b', `@reply ${i}`), `${i}`);
  assert.deepEqual(
    (await both).map((it) => it.status),
    ['answered', 'answered'],
  );
  assert.deepEqual(await triesOf(world, first), ['run 1 ended on it: locked (try 1)']);
});

const isTool = (it: { type: string; state?: string }): boolean => it.type === 'progress' && it.state === 'tool';

/** Takes the lock that a reader, or a writer, has and keeps it, and stops the process it is told; the second time it does nothing. */
const holding = (file: string): string => `
import { Database } from 'bun:sqlite';
import { existsSync, writeFileSync } from 'node:fs';
if (existsSync('/s/work/held')) process.exit(0);
const inbound = ${file.startsWith('in/')};
const db = new Database('/s/${file}', inbound ? { readonly: true } : {});
db.exec(inbound ? 'begin; select * from meta' : 'begin exclusive');
if (process.argv[2]) process.kill(Number(process.argv[2]), 'SIGSTOP');
writeFileSync('/s/work/held', '');
setInterval(() => db.query('select * from meta').all(), 50);
`;

/** Leaves a transaction half written, and once it is told to, kills the runner and itself; the second time it does nothing. */
const CUT_OFF = `
import { Database } from 'bun:sqlite';
import { existsSync, writeFileSync } from 'node:fs';
if (existsSync('held')) process.exit(0);
const db = new Database('../out/outbound.db');
for (const mode of ['exclusive', 'normal'])
  db.exec(\`pragma locking_mode = \${mode}; pragma journal_mode = persist; select count(*) from sqlite_schema\`);
db.exec('begin immediate; update meta set seq_high = 4711');
const insert = db.prepare('insert into session_state values (?, ?)');
insert.run('half', 'x'.repeat(8 * 1024 * 1024));
globalThis.kept = [db, insert]; // collected, they would end the transaction
writeFileSync('held', '');
setInterval(() => {
  if (!existsSync('go')) return;
  process.kill(Number(process.argv[2]), 'SIGKILL');
  process.kill(process.pid, 'SIGKILL');
}, 20);
`;

test('what was cut off cannot be taken back as no sandbox starts: nothing is decided, the person is told, then it goes on', async (t) => {
  const { dist, mend } = ownDist(t);
  const world = await openWorld(t, { HALFDOOR_DIST: dist });
  await world.createAgent({ name: 'a' });
  await world.reply('a', '@reply warm');
  const { folder } = await world.session('a');
  const work = join(folder, 'work');
  writeFileSync(join(work, 'cut.ts'), CUT_OFF);
  const chat = world.chat('a');
  const id = await world.send('a', `@shell ${bunPath()} cut.ts $PPID\n@reply done`);
  await appears(work, 'held');
  rmSync(join(dist, 'runner.js'));
  writeFileSync(join(work, 'go'), '');
  const text = await chat.until(
    (events) => events.flatMap((it) => (it.type === 'message' && it.notice ? it.text : []))[0],
  );
  assert.match(
    text,
    /^Your message waits: a run was cut off.*does not start: there is no runner at .*\.\/halfdoor status/,
  );
  assert.deepEqual(await triesOf(world, id), []);
  mend();
  assert.match((await world.settled(id)).replies.at(-1)?.text ?? '', /done/);
  assert.deepEqual(await triesOf(world, id), ['run 1 ended on it: signal SIGKILL (try 1)']);
  chat.close();
});

test('a run that does not heed /stop is ended after five seconds, and the stop is carried out', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const chat = world.chat('a');
  const id = await world.send('a', '@shell sleep 60');
  await chat.until((events) => events.find(isTool));
  killOne((await world.session('a')).pid, 'SIGSTOP');
  const stop = await world.ask('a', '/stop');
  assert.equal(stop.replies[0]?.text, 'Stopped.');
  assert.match((await world.settled(id)).error ?? '', /stopped/);
  assert.deepEqual(await triesOf(world, id), ['run 1 ended on it: unheeded (try 1)']);
  assert.equal(await world.reply('a', '@reply still here'), 'still here');
  chat.close();
});

const NEVER = new Promise<void>(() => undefined);
test('a model that is asked and says nothing for ten minutes: the run is ended, tried again, told by name', async (t) => {
  const silent: Answer = { silentUntil: NEVER, restAfter: NEVER, text: '' };
  const answers: Answer[] = Array.from({ length: 100 }, () => silent);
  let onAsked = (): void => undefined;
  const endpoint = await openModelEndpoint('openai', answers, () => onAsked());
  t.after(() => endpoint.close());
  const world = await openSteered(t, { OPENAI_API_KEY: 'key-o' });
  const { baseUrl } = endpoint;
  await world.createAgent({ name: 'a', provider: 'direct', model: 'm', baseUrl, api: 'openai', sandbox: 'process' });
  onAsked = () => void world.steer('end 600000');
  const id = await world.send('a', 'are you there?');
  const view = await world.settled(id);
  assert.match(view.error ?? '', /the model was asked and said nothing for 10 minutes each time/);
  assert.match(view.next ?? '', /agents check/);
  assert.deepEqual(
    await triesOf(world, id),
    [1, 2, 3].map((n) => `run ${n} ended on it: silent (try ${n})`),
  );
  answers.splice(0, answers.length, { text: '<message to="terminal">back</message>' });
  onAsked = () => undefined;
  assert.equal(await world.reply('a', 'again'), 'back');
});
