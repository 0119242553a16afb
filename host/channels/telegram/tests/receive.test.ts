import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { openChannel, SECRET } from './stage.ts';

test('what cannot be taken now comes again, from the same place; what is refused does not', async (t) => {
  const { channel, telegram, taken, answers } = await openChannel(t);
  answers.push({ status: 'not-now', reason: 'full' });
  telegram.write({ id: 17 }, 'one');
  telegram.write({ id: 17 }, 'two');
  answers.push({ status: 'refused', code: 'too-large', reason: 'too much', next: 'Less.' });
  channel.start();
  await telegram.until(() => telegram.unconfirmed === 0);
  assert.deepEqual(
    taken.map((it) => [it.text, it.platformId]),
    [
      ['one', '17:1'],
      ['one', '17:1'],
      ['two', '17:2'],
    ],
  );
  assert.deepEqual(telegram.textsTo(17), ['Not taken: too much. Less.']);
});

test('stopping ends the open poll at once, and nothing more is taken', async (t) => {
  const { channel, telegram, taken } = await openChannel(t, { start: true });
  await telegram.until(() => telegram.polling);
  await channel.stop();
  await telegram.until(() => !telegram.polling);
  telegram.write({ id: 17 }, 'too late');
  assert.deepEqual(taken, []);
});

test('a webhook: registered with its secret, acknowledged after accept alone', async (t) => {
  const { channel, telegram, taken, answers } = await openChannel(t, { webhook: true, start: true });
  await telegram.until(() => telegram.webhook !== null);
  assert.deepEqual(telegram.webhook, { url: 'https://example.org/telegram/telegram', secret: SECRET });
  const update = telegram.update({
    message: {
      message_id: 9,
      from: { id: 17, is_bot: false, first_name: 'A' },
      chat: { id: 17, type: 'private' },
      text: 'hi',
    },
  });
  const post = async (secret: string, body: string, method = 'POST'): Promise<number> => {
    const headers = { 'x-telegram-bot-api-secret-token': secret };
    const request = new Request('http://x/telegram/telegram', {
      method,
      headers,
      ...(method === 'POST' ? { body } : {}),
    });
    return (await channel.handle(request)).status;
  };
  const text = JSON.stringify(update);
  assert.equal(await post('wrong', text), 401);
  assert.equal(await post('', text), 401);
  assert.equal(await post(SECRET, text, 'GET'), 405);
  assert.equal(await post(SECRET, 'x'.repeat(2 * 1024 * 1024)), 413);
  assert.equal(await post(SECRET, '{"update_id":'), 200, 'it never will be more than this');
  assert.equal(taken.length, 0);
  answers.push({ status: 'not-now', reason: 'full' });
  assert.equal(await post(SECRET, text), 503);
  assert.equal(await post(SECRET, text), 200);
  assert.deepEqual(
    taken.map((it) => it.platformId),
    ['17:9', '17:9'],
  );
  await channel.stop();
  assert.equal(await post(SECRET, text), 503);
});

const NOTE = { file_id: 'f1', file_name: 'note.txt', mime_type: 'text/plain', file_size: 4 };

test('a file comes with its message, in the spool until it is taken; one that broke off is fetched again', async (t) => {
  const { channel, telegram, taken, contents, spool } = await openChannel(t);
  telegram.files.set('f1', Buffer.from('said'));
  telegram.fail('getFile', { code: 500, description: 'Internal Server Error' });
  telegram.write({ id: 17 }, 'look', { text: undefined, caption: 'look', document: NOTE });
  channel.start();
  await telegram.until(() => telegram.unconfirmed === 0);
  const [it] = taken;
  assert.equal(taken.length, 1);
  assert.deepEqual(
    [it?.text, it?.files?.map(({ name, mime }) => [name, mime])],
    ['look', [['note.txt', 'text/plain']]],
  );
  assert.deepEqual([contents, readdirSync(spool)], [[['said']], []]);
});

test('a file that cannot be had is a line of its message', async (t) => {
  const { channel, telegram, taken } = await openChannel(t);
  telegram.files.set('big', Buffer.alloc(21 * 1024 * 1024));
  const photo = [{ file_id: 'gone', file_size: 1 }];
  telegram.write({ id: 17 }, '', { text: undefined, photo });
  telegram.write({ id: 17 }, '', {
    text: undefined,
    caption: 'look',
    video: { file_id: 'big', file_size: 21 * 1024 * 1024 },
  });
  telegram.write({ id: 17 }, '', { text: undefined, voice: { file_id: 'big' } });
  channel.start();
  await telegram.until(() => telegram.unconfirmed === 0);
  assert.deepEqual(
    taken.map((it) => it.text),
    [
      '[photo not taken in: Bad Request: invalid file_id]',
      'look\n[video not taken in: Telegram gives files over 20 MB to no bot]',
      '[voice not taken in: Telegram gives files over 20 MB to no bot]',
    ],
  );
});

test('nothing is fetched for a stranger', async (t) => {
  const { channel, telegram, taken } = await openChannel(t, { known: false });
  telegram.files.set('f1', Buffer.from('said'));
  telegram.write({ id: 666 }, '', { text: undefined, document: NOTE });
  channel.start();
  await telegram.until(() => telegram.unconfirmed === 0);
  assert.deepEqual(
    taken.map((it) => it.files),
    [[]],
  );
  assert.ok(!telegram.asked.some((it) => it.method === 'getFile'));
});
