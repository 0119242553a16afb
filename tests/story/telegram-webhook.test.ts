import assert from 'node:assert/strict';
import { request } from 'node:http';
import { test } from 'node:test';
import { openTelegram, type TelegramFake } from '../fakes/telegram.ts';
import { addHttp, freePort } from '../world/program.ts';
import { ANN, TelegramWorld } from '../world/telegram.ts';

const WEBHOOK = 'https://bot.example.org/telegram/telegram';

/** As a proxy hands on what Telegram posts: by the name that people know, with Telegram's secret. Returns the status. */
function post(port: number, body: object, secret: string, host = 'bot.example.org'): Promise<number> {
  const headers = { 'content-type': 'application/json', 'x-telegram-bot-api-secret-token': secret, host };
  const where = { host: '127.0.0.1', port, path: '/telegram/telegram', method: 'POST', headers, agent: false };
  return new Promise((resolve, reject) => {
    const asked = request(where, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    });
    asked.on('error', reject).end(JSON.stringify(body));
  });
}

const secretOf = ({ webhook }: TelegramFake): string => webhook?.secret ?? '';

test('updates that Telegram posts: proven by its secret, taken once, over a restart too', async (t) => {
  const telegram = await openTelegram(t);
  const world = new TelegramWorld(telegram);
  t.after(() => world.close());
  await world.start();
  await world.createAgent({ name: 'a' });
  const port = await freePort();
  await addHttp(world, { port });
  const pairing = await world.add({ webhook: WEBHOOK });
  await telegram.until(() => telegram.webhook !== null);
  assert.equal(telegram.webhook?.url, WEBHOOK);
  assert.match(secretOf(telegram), /^[A-Za-z0-9_-]{43}$/);
  const update = (text: string): object => {
    telegram.write(ANN, text);
    return telegram.newest;
  };
  const code = update(pairing.code);
  assert.equal(await post(port, code, 'guessed'), 401);
  assert.equal(await post(port, code, secretOf(telegram), 'rebound.example.com'), 421);
  assert.equal(await post(port, code, secretOf(telegram)), 200);
  await world.texts(1);
  const hello = update('@reply hello');
  assert.equal(await post(port, hello, secretOf(telegram)), 200);
  assert.equal((await world.texts(2))[1], 'hello');
  await world.delivered();
  await world.restart('SIGKILL');
  assert.equal(await post(port, hello, secretOf(telegram)), 200, 'its answer was lost: it comes again');
  assert.equal(await post(port, update('@reply fence'), secretOf(telegram)), 200);
  assert.equal((await world.texts(3))[2], 'fence');
  assert.ok(!telegram.asked.some((it) => it.method === 'getUpdates'));
  await world.call('DELETE', '/v1/channels/telegram');
  assert.equal(telegram.webhook, null);
});
