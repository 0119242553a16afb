import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { partsOf } from '../parts.ts';

const bare = (text: string): string => text.replaceAll(/\s+/g, '');

test('a short text is one part, as it is', () => {
  assert.deepEqual(partsOf('hello', 10), ['hello']);
  assert.deepEqual(partsOf('', 10), ['']);
});

test('cut where a reader would: between paragraphs, lines, sentences, words', () => {
  assert.deepEqual(partsOf(`${'a'.repeat(40)}\n\n${'b'.repeat(40)}`, 60), ['a'.repeat(40), 'b'.repeat(40)]);
  assert.deepEqual(partsOf(`${'a'.repeat(40)}. ${'b '.repeat(20)}`.trim(), 60), [
    `${'a'.repeat(40)}.`,
    'b '.repeat(20).trim(),
  ]);
});

test('a code block that is cut is closed and opened again', () => {
  const parts = partsOf(`\`\`\`ts\n${'let x = 1;\n'.repeat(20)}\`\`\``, 100);
  assert.ok(parts.length > 2);
  for (const part of parts) assert.ok(part.startsWith('```ts\n') && part.endsWith('\n```'), part);
});

test('a line that looks like the beginning of a block and is as long as a part is text', () => {
  const parts = partsOf('```codecodecodecode```', 20);
  for (const part of parts) assert.ok(part.length <= 20, part);
  assert.equal(parts.join(''), '```codecodecodecode```');
});

test('no part is too long, nothing but white space is lost, no character is cut', () => {
  const text = fc
    .array(fc.constantFrom('word', ' ', '\n', '\n\n', '. ', '漢', '😀', 'x'.repeat(30)))
    .map((it) => it.join(''));
  fc.assert(
    fc.property(text, fc.integer({ min: 20, max: 60 }), (it, most) => {
      const parts = partsOf(it, most);
      for (const part of parts) {
        assert.ok(part.length <= most, `${part.length} > ${most}`);
        assert.ok(part.isWellFormed());
      }
      assert.equal(bare(parts.join('')), bare(it));
    }),
  );
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('```', '```js', '\n', 'code', ' ')),
      fc.integer({ min: 20, max: 60 }),
      (it, most) => {
        for (const part of partsOf(it.join(''), most)) assert.ok(part.length <= most, part);
      },
    ),
  );
});
