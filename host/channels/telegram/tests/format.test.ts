import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readHtml } from '../../../../tests/fakes/telegram-html.ts';
import { toHtml } from '../format.ts';

const CASES: readonly (readonly [markdown: string, html: string])[] = [
  ['plain', 'plain'],
  ['**bold** and __bold__', '<b>bold</b> and <b>bold</b>'],
  ['*it* and _it_ and ~~gone~~', '<i>it</i> and <i>it</i> and <s>gone</s>'],
  ['**bold *and it* too**', '<b>bold <i>and it</i> too</b>'],
  ['snake_case_name and 2 * 3 * 4 and 5*6*7', 'snake_case_name and 2 * 3 * 4 and 5*6*7'],
  ['**open and *crossed** over*', '<b>open and *crossed</b> over*'],
  ['a **** b', 'a **** b'],
  ['`a < b && "c"`', '<code>a &lt; b &amp;&amp; &quot;c&quot;</code>'],
  ['``a ` b``', '<code>a ` b</code>'],
  ['`` and `', '`` and `'],
  ['`**not bold**`', '<code>**not bold**</code>'],
  ['<script>&amp;</script>', '&lt;script&gt;&amp;amp;&lt;/script&gt;'],
  ['[a **b**](https://e.org/?x=1&y="2")', '<a href="https://e.org/?x=1&amp;y=&quot;2&quot;">a <b>b</b></a>'],
  ['[x](javascript:alert(1))', '[x](javascript:alert(1))'],
  ['[x](tg://user?id=1)', '<a href="tg://user?id=1">x</a>'],
  ['# Title with **bold**', '<b>Title with bold</b>'],
  ['- one\n  * two\n1. three', '• one\n  • two\n1. three'],
  ['> said\n> *twice*\nno', '<blockquote>said\n<i>twice</i></blockquote>\nno'],
  ['---', '———'],
  ['```ts\nlet a = `<b>`;\n```\nafter', '<pre><code class="language-ts">let a = `&lt;b&gt;`;</code></pre>\nafter'],
  ['```\nnever closed **x**', '<pre>never closed **x**</pre>'],
  ['~~~\n```\n~~~', '<pre>```</pre>'],
  [String.raw`\*not it\* and \_`, '*not it* and _'],
];

test('what agents write, as Telegram shows it', () => {
  for (const [markdown, html] of CASES) assert.equal(toHtml(markdown), html, markdown);
});

test('whatever is written, Telegram can read it, and nobody sees more characters than were written', () => {
  const pieces = [
    '**',
    '*',
    '_',
    '__',
    '~~',
    '`',
    '```\n',
    '> ',
    '- ',
    '[',
    '](',
    ')',
    '<b>',
    '&',
    '\n',
    'a',
    ' ',
    '\\',
    '#',
    '🦊',
  ];
  let seed = 7;
  const next = (n: number): number => (seed = (seed * 48_271) % 2_147_483_647) % n;
  for (let round = 0; round < 3_000; round++) {
    const text = Array.from({ length: 1 + next(40) }, () => pieces[next(pieces.length)] ?? '').join('');
    const read = readHtml(toHtml(text));
    assert.ok('text' in read, `${JSON.stringify(text)} became ${toHtml(text)}: ${JSON.stringify(read)}`);
    assert.ok(read.text.length <= text.length, JSON.stringify(text));
  }
});

test('a text made to be slow is not', () => {
  for (const piece of ['*a', '_', '**', '`', '[', '[a](', '> ', '<', '\\', '~~a ', '```\n']) {
    const text = piece.repeat(4096 / piece.length);
    assert.ok('text' in readHtml(toHtml(text)));
  }
});
