import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { TOKEN } from '../../../../tests/fakes/telegram.ts';
import { ADDRESS, openChannel, outgoing } from './stage.ts';

test('a message is named, edited, reacted to and taken away', async (t) => {
  const { channel, telegram } = await openChannel(t);
  const sent = await channel.send(outgoing({ text: 'a *word*', buttons: [{ id: 'yes', label: 'Yes' }] }));
  assert.deepEqual(sent, { status: 'sent', platformId: '17:1' });
  const [said] = telegram.said;
  assert.deepEqual([said?.text, said?.tags, said?.buttons], ['a word', ['i'], ['yes']]);
  assert.equal((await channel.edit(ADDRESS, '17:1', '**other**')).status, 'sent');
  assert.deepEqual(said?.text, 'other');
  assert.equal((await channel.edit(ADDRESS, '17:1', '**other**')).status, 'sent', 'it says so already');
  assert.equal((await channel.react(ADDRESS, '17:1', '❤️')).status, 'sent');
  assert.equal((await channel.react(ADDRESS, '17:1', null)).status, 'sent');
  const odd = await channel.react(ADDRESS, '17:1', '🦊');
  assert.deepEqual([odd.status, 'reason' in odd && odd.reason], ['failed', 'Telegram takes no reaction 🦊']);
  await channel.type(ADDRESS);
  assert.equal((await channel.delete(ADDRESS, '17:1')).status, 'sent');
  assert.equal((await channel.delete(ADDRESS, '17:1')).status, 'sent', 'it is gone already');
  const gone = await channel.edit(ADDRESS, '17:1', 'x');
  assert.deepEqual([gone.status, 'transient' in gone && gone.transient], ['failed', false]);
});

test('what Telegram cannot read goes out as it was written', async (t) => {
  const { channel, telegram } = await openChannel(t);
  telegram.fail('sendMessage', { code: 400, description: "Bad Request: can't parse entities: Unsupported start tag" });
  await channel.send(outgoing({ text: '**x** <y>' }));
  assert.deepEqual(telegram.textsTo(17), ['**x** <y>']);
  const previews = telegram.asked.map((it) => it.params.link_preview_options);
  assert.deepEqual(previews, [{ is_disabled: true }, { is_disabled: true }], 'no link is followed');
});

test('the longest text, and that it may be a duplicate, fit into one message', async (t) => {
  const { channel, telegram } = await openChannel(t);
  const text = '&'.repeat(channel.capabilities.maxTextLength);
  assert.equal((await channel.send(outgoing({ text, mayBeDuplicate: true }))).status, 'sent');
  assert.equal(telegram.textsTo(17)[0], `${text}\n(may be a duplicate)`);
  assert.equal(telegram.textsTo(17)[0]?.length, 4096);
});

const FAULTS = [
  [
    { code: 429, description: 'Too Many Requests', parameters: { retry_after: 3 } },
    { transient: true, maybeSeen: false, retryAfterMs: 3_000 },
  ],
  [
    { code: 502, description: 'Bad Gateway' },
    { transient: true, maybeSeen: true, retryAfterMs: null },
  ],
  ['drop', { transient: true, maybeSeen: true, retryAfterMs: null }],
  [
    { code: 403, description: 'Forbidden: bot was blocked by the user' },
    { transient: false, maybeSeen: false, retryAfterMs: null },
  ],
  [
    { code: 400, description: 'Bad Request: chat not found' },
    { transient: false, maybeSeen: false, retryAfterMs: null },
  ],
  [
    { code: 400, description: 'Bad Request: group chat was upgraded', parameters: { migrate_to_chat_id: -1001 } },
    { transient: false, maybeSeen: false, retryAfterMs: null },
  ],
] as const;

test('each way to fail is told apart', async (t) => {
  const { channel, telegram } = await openChannel(t);
  for (const [fault, expected] of FAULTS) {
    telegram.fail('sendMessage', fault);
    const sent = await channel.send(outgoing());
    assert.ok(sent.status === 'failed', JSON.stringify(sent));
    const { transient, maybeSeen, retryAfterMs } = sent;
    assert.deepEqual({ transient, maybeSeen, retryAfterMs }, expected, JSON.stringify(fault));
    assert.ok(!sent.reason.includes(TOKEN));
  }
});

test('a Telegram that nobody can reach has seen nothing', async (t) => {
  const { channel, telegram } = await openChannel(t);
  await telegram.close();
  const sent = await channel.send(outgoing());
  assert.ok(sent.status === 'failed' && sent.transient && !sent.maybeSeen, JSON.stringify(sent));
});

test('files go behind the text; one that fails does not send again what has arrived', async (t) => {
  const { channel, telegram } = await openChannel(t);
  const folder = mkdtempSync(join(tmpdir(), 'hd-tg-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = (name: string, mime: string) => {
    writeFileSync(join(folder, 'file'), 'x'.repeat(100_000));
    return { name, mime, bytes: 100_000, path: join(folder, 'file') };
  };
  const files = [file('a "b".png', 'image/png'), file('c.pdf', 'application/pdf')];
  telegram.fail('sendDocument', { code: 429, description: 'Too Many Requests', parameters: { retry_after: 1 } });
  assert.equal((await channel.send(outgoing({ files }))).status, 'failed');
  assert.deepEqual(await channel.send(outgoing({ files })), { status: 'sent', platformId: '17:1' });
  assert.deepEqual(
    telegram.said.map((it) => [it.text, it.file, it.fileBytes]),
    [
      ['hello', null, 0],
      ['', 'a "b".png', 100_000],
      ['', 'c.pdf', 100_000],
    ],
  );
});

test('a private chat is opened with whoever has started the bot, and with nobody else', async (t) => {
  const { channel } = await openChannel(t);
  assert.deepEqual(await channel.openDM('telegram:17'), { status: 'open', address: ADDRESS });
  const other = await channel.openDM('telegram:18');
  assert.match(other.status === 'failed' ? other.reason : '', /has not started the bot/);
  assert.equal((await channel.openDM('local:0')).status, 'failed');
});

test('with a token that is refused everything waits, and is named once it is taken again', async (t) => {
  const { channel, telegram, ready } = await openChannel(t, { start: true });
  telegram.token = 'another';
  assert.deepEqual(await channel.send(outgoing()), { status: 'nobody', maybeSeen: false });
  assert.equal(channel.ready({ ...ADDRESS, chat: '18' }), false);
  assert.equal(channel.status().state, 'broken');
  telegram.token = TOKEN;
  await telegram.until(() => telegram.polling);
  assert.deepEqual([ready, channel.ready(ADDRESS)], [['17', '18'], true]);
});
