import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, insert, press, type Editor, type Key } from '../chat/editor.ts';

const HISTORY = ['first', 'second'];

/** Keys by name, `ctrl-x` and `meta-x` too; anything else is typed. */
function keys(words: readonly string[], from: Editor = EMPTY): Editor {
  let it = from;
  for (const word of words) {
    const [, ctrl, meta, name] = /^(ctrl-)?(meta-)?(\w+)$/.exec(word) ?? [];
    const named = ctrl || meta || NAMES.includes(word);
    const key: Key = named ? { name: name ?? '', ctrl: !!ctrl, meta: !!meta } : { sequence: word };
    const next = press(it, key, HISTORY);
    assert.ok(typeof next === 'object', `${word} asks for ${JSON.stringify(next)}`);
    it = next;
  }
  return it;
}
const NAMES = ['left', 'right', 'home', 'end', 'up', 'down', 'backspace', 'delete'];

const CASES: [name: string, words: string[], shown: string][] = [
  ['typed', ['a', 'b', '漢'], 'ab漢|'],
  ['in the middle', ['a', 'c', 'left', 'b'], 'ab|c'],
  [
    'a character is what people see: combining marks and joined pictures',
    ['e\u0301', '👩‍🚀', 'left', 'left', 'x'],
    'x|e\u0301👩‍🚀',
  ],
  ['backspace takes all of it', ['a', '👩‍🚀', 'backspace', 'e\u0301', 'backspace'], 'a|'],
  ['delete and ctrl-d', ['a', 'b', 'c', 'home', 'delete', 'ctrl-d'], '|c'],
  ['words', ['one two  three', 'meta-b', 'ctrl-w'], 'one |three'],
  ['to the word after', ['one two', 'ctrl-a', 'meta-f', 'ctrl-k'], 'one|'],
  ['to the start', ['one two', 'meta-b', 'ctrl-u'], '|two'],
  ['nothing left of the start', ['left', 'backspace', 'ctrl-w', 'meta-b', 'a'], 'a|'],
  ['control characters are not typed', ['a', '\u0000', '\u001b[99~', '\u009b', 'b'], 'ab|'],
  ['history, and the line being written', ['dra', 'up', 'up', 'up', 'down', 'down', 'ft'], 'draft|'],
  ['what was recalled can be changed', ['up', '!'], 'second!|'],
  ['down without having gone up', ['a', 'down'], 'a|'],
];

for (const [name, words, shown] of CASES) {
  test(`editor: ${name}`, () => {
    const { text, cursor } = keys(words);
    assert.equal(`${text.slice(0, cursor)}|${text.slice(cursor)}`, shown);
  });
}

test('editor: what is pasted keeps its newlines and loses what drives a terminal', () => {
  assert.equal(insert(EMPTY, 'a\r\nb\rc\n\u001b[31md\te\ud800').text, 'a\nb\nc\n[31md\te\ufffd');
});

test('editor: keys that ask for something', () => {
  const ctrl = (name: string, it = EMPTY) => press(it, { name, ctrl: true }, []);
  assert.deepEqual(
    ['c', 'd', 'l', 'z'].map((name) => ctrl(name)),
    ['interrupt', 'end', 'redraw', 'suspend'],
  );
  assert.equal(press(EMPTY, { name: 'return' }, []), 'submit');
  assert.equal(keys(['a']).text, 'a');
  assert.notEqual(ctrl('d', keys(['a', 'left'])), 'end');
  assert.deepEqual(press(keys(['a']), { name: 'return', meta: true }, []), { ...keys(['a']), text: 'a\n', cursor: 2 });
});
