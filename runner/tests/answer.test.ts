import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAnswer } from '../answer.ts';

const to = (name: string, text: string) => ({ to: name, text });

const TABLE: [name: string, answer: string, messages: ReturnType<typeof to>[], scratch?: string][] = [
  ['one message', '<message to="home">hi</message>', [to('home', 'hi')]],
  ['text around it is scratch', 'so <message to="home">hi</message> there', [to('home', 'hi')], 'so  there'],
  ['several, in order', '<message to="b">1</message>\n<message to="a">2</message>', [to('b', '1'), to('a', '2')]],
  ['nothing addressed', 'just thinking', [], 'just thinking'],
  ['internal is scratch', '<internal>hm</internal><message to="a">x</message>', [to('a', 'x')], 'hm'],
  ['a message inside internal is not sent', '<internal><message to="a">x</message></internal>', []],
  [
    'a nested message is text of the outer one',
    '<message to="a">see <message to="b">x</message> ok</message>',
    [to('a', 'see <message to="b">x</message> ok')],
  ],
  ['never closed goes to the end', '<message to="a">it goes on', [to('a', 'it goes on')]],
  [
    'a fence holds no tags',
    '<message to="a">use\n```\n</message>\n```\nso</message>',
    [to('a', 'use\n```\n</message>\n```\nso')],
  ],
  [
    'a longer fence holds a shorter one',
    '<message to="a">\n````\n```\n</message>\n```\n````\n</message>',
    [to('a', '````\n```\n</message>\n```\n````')],
  ],
  [
    'inline code holds no tags',
    '<message to="a">write `</message>` at the end</message>',
    [to('a', 'write `</message>` at the end')],
  ],
  ['a fence outside sends nothing', '```\n<message to="a">example</message>\n```', []],
  ['single quotes and spaces', "<message  to = 'a' >x</message >", [to('a', 'x')]],
  ['a tag with other attributes is text', '<message from="a">x</message>', []],
  ['a closing tag alone is nothing', '</message>x', [], 'x'],
  ['an empty message is not sent', '<message to="a">  </message>', []],
  ['other markup is text', '<message to="a"><b>1 < 2</b></message>', [to('a', '<b>1 < 2</b>')]],
  ['a backtick that is never closed is text', '<message to="a">5` and</message> x', [to('a', '5` and')], 'x'],
];

for (const [name, answer, messages, scratch] of TABLE) {
  test(`answer: ${name}`, () => {
    const parsed = parseAnswer(answer);
    assert.deepEqual(parsed.messages, messages);
    if (scratch !== undefined) assert.equal(parsed.scratch, scratch);
  });
}

/** Work that grows with the square of the length would take minutes here, and the test would be cut off. */
for (const piece of ['`', '<', '<message to="a">', '</message>', '```\n', '<internal>', '``` ` ']) {
  test(`answer: a megabyte of ${JSON.stringify(piece)} is parsed in one pass`, { timeout: 60_000 }, () => {
    const parsed = parseAnswer(piece.repeat(Math.floor((1024 * 1024) / piece.length)));
    assert.ok(parsed.messages.length <= 1);
  });
}
