import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseUpdate, updateId, type Message } from '../update.ts';

const BOT = { id: 1, username: 'Our_Bot' };
const FROM = { id: 7, is_bot: false, first_name: 'Ann' };
const CHAT = { id: 7, type: 'private' };

function message(more: object): Message {
  const update = parseUpdate(
    { update_id: 1, message: { message_id: 3, from: FROM, chat: CHAT, text: 'hi', ...more } },
    BOT,
  );
  assert.ok(update.type === 'message', JSON.stringify(update));
  return update.message;
}

test('a message in a private chat', () => {
  assert.deepEqual(message({}), {
    ...{ chat: '7', direct: true, messageId: 3, thread: null, sender: 'telegram:7', senderName: 'Ann' },
    ...{ text: 'hi', attached: [] },
  });
});

test('a topic is a thread; a reply with a thread number is none', () => {
  assert.equal(message({ is_topic_message: true, message_thread_id: 9 }).thread, '9');
  assert.equal(message({ message_thread_id: 9 }).thread, null);
});

test('groups are not private, whoever writes there', () => {
  const it = message({ chat: { id: -100, type: 'supergroup' } });
  assert.deepEqual([it.chat, it.direct, it.sender], ['-100', false, 'telegram:7']);
  assert.equal(message({ chat: { id: 8, type: 'private' } }).direct, false);
});

test('commands as we know them', () => {
  const text = (it: string): string => message({ text: it }).text;
  assert.equal(text('/stop@our_bot'), '/stop');
  assert.equal(text('/Help'), '/help');
  assert.equal(text('/start'), '/help');
  assert.equal(text('/start CODE'), '/start CODE');
  assert.equal(text('/start@Our_Bot CODE'), '/start CODE');
  assert.equal(text('see /stop@our_bot'), 'see /stop@our_bot');
  const other = parseUpdate({ message: { message_id: 3, from: FROM, chat: CHAT, text: '/stop@other_bot' } }, BOT);
  assert.deepEqual(other, { type: 'other', why: 'a command for another bot' });
});

test('what is no text', () => {
  const photo = [
    { file_id: 's', file_size: 1 },
    { file_id: 'l', file_size: 2 },
  ];
  const shown = message({ text: undefined, caption: 'look', photo });
  assert.equal(shown.text, 'look');
  assert.deepEqual(shown.attached, [{ what: 'photo', fileId: 'l', name: 'photo.jpg', mime: 'image/jpeg', bytes: 2 }]);
  const document = { file_id: 'd', file_name: 'a.pdf', mime_type: 'application/pdf' };
  assert.equal(message({ text: undefined, document }).attached[0]?.name, 'a.pdf');
  assert.equal(message({ text: undefined, sticker: { emoji: '🦊' } }).text, '[sticker 🦊]');
  assert.equal(message({ text: undefined, location: { latitude: 1, longitude: 2 } }).text, '[location 1, 2]');
});

test('what people do not write is passed over', () => {
  for (const [more, why] of [
    [{ from: { ...FROM, is_bot: true } }, 'another bot'],
    [{ from: { id: 7 } }, 'another bot'],
    [{ chat: { id: -1, type: 'channel' } }, 'no chat of people'],
    [{ text: undefined, new_chat_members: [FROM] }, 'nothing that anybody wrote'],
    [{ text: '   ' }, 'nothing that anybody wrote'],
  ] as const) {
    const update = parseUpdate({ message: { message_id: 3, from: FROM, chat: CHAT, text: 'hi', ...more } }, BOT);
    assert.deepEqual(update, { type: 'other', why });
  }
  const parsed = (it: object): string => parseUpdate(it, BOT).type;
  assert.equal(parsed({ edited_message: {} }), 'edit');
  assert.equal(parsed({ message_reaction: {} }), 'reaction');
  assert.equal(parsed({ callback_query: { id: 'x' } }), 'click');
  assert.equal(parsed({ channel_post: {} }), 'other');
});

test('hostile updates: nothing throws, and nothing is taken for an id that is none', () => {
  let deep: unknown = 'x';
  for (let n = 0; n < 10_000; n++) deep = [deep];
  const odd = [
    null,
    undefined,
    1,
    'x',
    [],
    {},
    deep,
    { __proto__: null },
    { toString: 1 },
    Number.NaN,
    2 ** 60,
    '7',
    -1.5,
  ];
  for (const value of odd) {
    assert.ok(['other'].includes(parseUpdate(value, BOT).type));
    assert.equal(updateId({ update_id: value }), value === 1 ? 1 : null);
    for (const field of [
      'message_id',
      'from',
      'chat',
      'text',
      'caption',
      'photo',
      'document',
      'sticker',
      'location',
      'poll',
    ]) {
      const update = parseUpdate(
        { message: { message_id: 3, from: FROM, chat: CHAT, text: 'hi', [field]: value } },
        BOT,
      );
      assert.ok(['message', 'other'].includes(update.type));
    }
    parseUpdate({ message: value, callback_query: value }, BOT);
  }
  const name = 'A'.repeat(1_000_000);
  const huge = message({ text: name, from: { ...FROM, first_name: `${name}\ud800` } });
  assert.deepEqual([huge.text.length, huge.senderName.length], [1_000_000, 100]);
  assert.equal(message({ text: '/'.repeat(1_000_000) }).text.length, 1_000_000);
});
