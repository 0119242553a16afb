import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChannelView } from '../../host/api/channel-contract.ts';
import { runCli, startCli } from '../../cli/tests/run-cli.ts';
import { openTelegram, TOKEN } from '../fakes/telegram.ts';
import { ANN, TelegramWorld } from '../world/telegram.ts';

test('from a token to an owner: added, the code shown, waited for, seen in the list, made anew, removed', async (t) => {
  const telegram = await openTelegram(t);
  const world = new TelegramWorld(telegram);
  t.after(() => world.close());
  await world.start();
  await world.createAgent({ name: 'a' });
  telegram.webhook = { url: 'https://elsewhere.example/', secret: '' };
  const words = ['channels', 'add', 'telegram', '--agent', 'a', '--base-url', telegram.baseUrl];
  const hooked = await runCli(world.home, words, TOKEN);
  assert.deepEqual([hooked.code, telegram.webhook !== null], [1, true]);
  assert.match(hooked.err, /sends its updates to elsewhere\.example[^]*--drop-webhook/);

  const adding = startCli(world.home, [...words, '--drop-webhook']);
  adding.child.stdin.end(`${TOKEN}\n`);
  const shown = await untilSaid(adding.child.stderr, /([A-Z2-7]{4}-){5}[A-Z2-7]{4}/);
  telegram.write(ANN, shown);
  const added = await adding.ended;
  assert.deepEqual([added.code, added.out], [0, 'paired with Ann\n']);
  assert.match(added.err, /@HelperTestBot is connected as telegram/);
  assert.ok(added.err.includes(`https://t.me/HelperTestBot?start=${shown}`));
  assert.ok(!(added.out + added.err).includes(TOKEN));

  telegram.write({ id: 666 }, 'let me in');
  await telegram.until(() => telegram.unconfirmed === 0);
  const list = await runCli(world.home, ['channels', 'list']);
  assert.match(list.out, /telegram +telegram +connected/);
  assert.match(list.out, /telegram: 1 stranger turned away, 1 message/);
  const { out } = await runCli(world.home, ['channels', 'pair', 'telegram', '--agent', 'a', '--no-wait', '--json']);
  assert.match(JSON.parse(out).code, /^([A-Z2-7]{4}-){5}/);
  const removed = await runCli(world.home, ['channels', 'remove', 'telegram']);
  assert.match(removed.out, /its token is kept no longer/);
  assert.deepEqual((await world.call<ChannelView[]>('GET', '/v1/channels')).body, []);
});

test('no token, a wrong one, or one on the command line', async (t) => {
  const telegram = await openTelegram(t);
  const world = new TelegramWorld(telegram);
  t.after(() => world.close());
  await world.start();
  await world.createAgent({ name: 'a' });
  const words = ['channels', 'add', 'telegram', '--agent', 'a', '--base-url', telegram.baseUrl];
  const none = await runCli(world.home, words);
  assert.match(none.err, /no value was given/);
  const wrong = await runCli(world.home, words, TOKEN.replace('AAE', 'BBE'));
  assert.match(wrong.err, /Telegram does not take the token of this bot\n.*@BotFather/);
  const open = await runCli(world.home, [...words, TOKEN]);
  assert.notEqual(open.code, 0);
  assert.ok(![none, wrong, open].some((it) => (it.out + it.err).includes(TOKEN)));
  assert.deepEqual(telegram.asked, []);
});

function untilSaid(stream: NodeJS.ReadableStream, pattern: RegExp): Promise<string> {
  let text = '';
  return new Promise((resolve) => {
    stream.on('data', (part: Buffer) => {
      text += String(part);
      const found = pattern.exec(text);
      if (found) resolve(found[0]);
    });
  });
}
