import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PRESET_HOSTS, PRESETS } from '../presets.ts';
import { parseRule, ruleFor } from '../rules.ts';

test('a rule is a name, what lies below a name, or a preset', () => {
  const kept: readonly [text: string, rule: string][] = [
    ['Example.com', 'example.com'],
    ['example.com.', 'example.com'],
    ['*.Example.com', '*.example.com'],
    ['npm', 'npm'],
    ['web', 'web'],
  ];
  for (const [text, rule] of kept) assert.equal(parseRule(text), rule, text);
  const none = [
    '',
    '*',
    '*.',
    '*.com',
    'com',
    'a.*.com',
    '**.a.com',
    'NPM',
    '127.0.0.1',
    '*.0.1',
    '[::1]',
    'a.com:443',
  ];
  for (const text of [...none, 'https://a.com', 'u@a.com', 'a.com/', 'a b.com'])
    assert.equal(parseRule(text), null, text);
});

test('a host is reached by the rule that names it, and by nothing near it', () => {
  const named: readonly [rules: string[], host: string, rule: string | null][] = [
    [[], 'example.com', null],
    [['example.com'], 'example.com', 'example.com'],
    [['example.com'], 'www.example.com', null],
    [['example.com'], 'notexample.com', null],
    [['*.example.com'], 'www.example.com', '*.example.com'],
    [['*.example.com'], 'a.b.example.com', '*.example.com'],
    [['*.example.com'], 'example.com', null],
    [['*.example.com'], 'notexample.com', null],
    [['*.example.com'], 'www.example.com.other.com', null],
    [['npm'], 'registry.npmjs.org', 'npm'],
    [['npm'], 'pypi.org', null],
    [['search'], 'search', null],
    [['npm', 'web'], 'anything.example', 'web'],
  ];
  for (const [rules, host, rule] of named) assert.equal(ruleFor(rules, host), rule, `${rules.join(' ')}: ${host}`);
});

test('every host of a preset is a name that can be asked for', () => {
  for (const host of Object.values(PRESET_HOSTS).flat()) assert.equal(parseRule(host), host);
  assert.deepEqual([...PRESETS].sort(), ['apt', 'github', 'npm', 'pypi', 'search', 'web']);
});
