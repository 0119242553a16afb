import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseAnswer } from '../answer.ts';
import { newestMessage } from '../partial.ts';

const TABLE: [name: string, begun: string, shown: ReturnType<typeof newestMessage>][] = [
  ['nothing addressed', 'thinking about it', null],
  ['text as far as it goes', '<message to="a">Hello wor', { to: 'a', reply: 0, text: 'Hello wor' }],
  ['half a closing tag is held back', '<message to="a">Hello</mess', { to: 'a', reply: 0, text: 'Hello' }],
  ['a sign that cannot become a tag is shown', '<message to="a">1 < 2', { to: 'a', reply: 0, text: '1 < 2' }],
  ['half an opening tag names nobody', '<message to="a', null],
  ['the second message', '<message to="a">x</message> <message to="b">y', { to: 'b', reply: 1, text: 'y' }],
  ['what is internal is nothing', '<internal><message to="a">x', null],
  ['code grows, too', '<message to="a">\n```sh\nls -l', { to: 'a', reply: 0, text: '```sh\nls -l' }],
  ['a tag in code that is not closed yet', '<message to="a">```\n</message> so', { to: 'a', reply: 0, text: '```' }],
  ['a tag after a lone backtick', '<message to="a">5` is </message>more', { to: 'a', reply: 0, text: '5` is' }],
  ['a tag quoted before anything was addressed', 'I write `<message to="a">x', null],
  ['half a character', '<message to="a">ok \ud83d', { to: 'a', reply: 0, text: 'ok' }],
];

for (const [name, begun, shown] of TABLE) {
  test(`partial: ${name}`, () => assert.deepEqual(newestMessage(begun), shown));
}

const PIECES = [
  '<message to="a">',
  "<message  to = 'b' >",
  '</message>',
  '<internal>',
  '</internal>',
  '`',
  '``',
  '```',
  '```\n',
  '\n```',
  '~~~',
  '\n~~~\n',
  '\n',
  '\n\n',
  '  ',
  '<',
  '>',
  '/',
  'mess',
  'word',
  '🚀',
  '&lt;',
];

/** The same numbers each time, so that a failure can be seen again (a linear congruential generator, Knuth's). */
function makePick(seed: number): (below: number) => number {
  let state = BigInt(seed);
  return (below) => {
    state = (state * 6364136223846793005n + 1442695040888963407n) & 0xffffffffffffffffn;
    return Number((state >> 33n) % BigInt(below));
  };
}

test('partial: whatever follows, what was shown is a beginning of what is sent', () => {
  const pick = makePick(7);
  let shown = 0;
  for (let n = 0; n < 6_000; n++) {
    const answer = Array.from({ length: 1 + pick(14) }, () => PIECES[pick(PIECES.length)]).join('');
    const { messages } = parseAnswer(answer);
    for (let end = 0; end <= answer.length; end++) {
      const partial = newestMessage(answer.slice(0, end));
      if (partial === null) continue;
      shown += 1;
      const sent = messages[partial.reply];
      const holds = sent?.to === partial.to && sent.text.startsWith(partial.text);
      assert.ok(holds, JSON.stringify({ answer, begun: answer.slice(0, end), partial, sent }));
    }
  }
  assert.ok(shown > 10_000, `${shown} pieces were shown`);
});

for (const piece of ['`', '` ``', '<', '<message to="a">', '</message>', '```\n', '<internal>', '~~~ ']) {
  test(`partial: a megabyte of ${JSON.stringify(piece)} is read in one pass`, { timeout: 60_000 }, () => {
    newestMessage(`<message to="a">${piece.repeat(Math.floor((1024 * 1024) / piece.length))} x`);
  });
}
