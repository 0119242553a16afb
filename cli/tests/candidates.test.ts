import assert from 'node:assert/strict';
import { test } from 'node:test';
import { candidates, preferredModel } from '../setup/candidates.ts';
import type { LocalServer } from '../setup/local-models.ts';

const OLLAMA: LocalServer = {
  id: 'ollama',
  name: 'Ollama',
  baseUrl: 'http://127.0.0.1:11434/v1',
  models: ['qwen3:8b', 'older:7b'],
};
const ids = (...args: Parameters<typeof candidates>): string[] => candidates(...args).map((it) => it.id);

test('a key goes before a local model, a local model before the demo, and the demo is always there', () => {
  assert.deepEqual(ids({}, [], []), ['demo']);
  assert.deepEqual(ids({}, [], [OLLAMA]), ['ollama', 'demo']);
  assert.deepEqual(ids({ OPENAI_API_KEY: 'x' }, [], [OLLAMA]), ['openai', 'ollama', 'demo']);
  const both = { OPENAI_API_KEY: 'x', ANTHROPIC_API_KEY: 'y' };
  assert.deepEqual(ids(both, [], []), ['anthropic', 'openai', 'demo']);
});

test('an empty variable is no key, a server without a model is no choice', () => {
  assert.deepEqual(ids({ ANTHROPIC_API_KEY: '' }, [], [{ ...OLLAMA, models: [] }]), ['demo']);
});

test('a key that is kept counts as one that is set, and says which it is', () => {
  const kept = { name: 'ANTHROPIC_API_KEY', from: 'kept' as const, updatedAt: null, usedBy: [] };
  const [first] = candidates({}, [kept], []);
  assert.deepEqual([first?.id, first?.because], ['anthropic', 'a key is kept as ANTHROPIC_API_KEY']);
});

test('a base URL in the environment is where its key goes, and no key goes to a local model', () => {
  const env = { OPENAI_API_KEY: 'x', OPENAI_BASE_URL: 'https://gateway.example/v1' };
  const [openai, ollama] = candidates(env, [], [OLLAMA]);
  assert.deepEqual([openai?.baseUrl, openai?.key], ['https://gateway.example/v1', 'OPENAI_API_KEY']);
  assert.deepEqual([ollama?.baseUrl, ollama?.key, ollama?.models], [OLLAMA.baseUrl, null, OLLAMA.models]);
});

for (const [api, models, expected] of [
  ['anthropic', ['claude-opus-9', 'claude-sonnet-9', 'claude-sonnet-8'], 'claude-sonnet-9'],
  ['openai', ['gpt-9-audio', 'text-embedding-3', 'gpt-9-nano', 'gpt-9', 'gpt-8'], 'gpt-9'],
  ['openai', ['gpt-9.1-2026-01-02', 'gpt-9'], 'gpt-9.1-2026-01-02'],
  ['openai', ['nomic-embed-text', 'qwen3:8b'], 'qwen3:8b'],
  ['openai', ['nomic-embed-text'], 'nomic-embed-text'],
  ['openai', [], null],
] as const) {
  test(`of ${models.join(', ') || 'no models'} the one to begin with is ${expected}`, () => {
    assert.equal(preferredModel(api, models), expected);
  });
}
