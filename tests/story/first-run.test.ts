// needs: userns
/** The first five minutes, by the CLI as a process, with a real host and a fresh home. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openModelEndpoint, type Answer, type ModelEndpoint } from '../fakes/model-endpoint.ts';
import { openOllama } from '../fakes/ollama.ts';
import { bunPath, distPath, ROOT } from '../world/programs.ts';

type Ended = { code: number | null; out: string; err: string };

/** Where nobody listens: whatever runs on the machine of the tests is not found. */
const NOBODY = { OLLAMA_HOST: '127.0.0.1:1', LLAMA_ARG_PORT: '1' };

class Person {
  readonly home: string;
  readonly env: Record<string, string>;

  constructor(t: TestContext, env: Record<string, string>) {
    this.home = mkdtempSync(join(tmpdir(), 'hd-first-'));
    this.env = {
      PATH: process.env.PATH ?? '/usr/bin:/bin',
      HOME: this.home,
      HALFDOOR_BUN: bunPath(),
      HALFDOOR_DIST: distPath(),
      ...NOBODY,
      ...env,
    };
    t.after(async () => {
      await this.run(['stop']);
      rmSync(this.home, { recursive: true, force: true });
    });
  }

  run(words: readonly string[], input = '', env: Record<string, string> = {}): Promise<Ended> {
    const child = spawn(process.execPath, [join(ROOT, 'cli', 'main.ts'), ...words], { env: { ...this.env, ...env } });
    let [out, err] = ['', ''];
    child.stdout.on('data', (part) => (out += String(part)));
    child.stderr.on('data', (part) => (err += String(part)));
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
  }
}

async function anthropic(t: TestContext, answers: Answer[]): Promise<ModelEndpoint> {
  const endpoint = await openModelEndpoint('anthropic', answers);
  t.after(() => endpoint.close());
  return endpoint;
}

const say = (text: string): Answer => ({ text: `<message to="terminal">${text}</message>` });

test('nothing but a home: the demo answers, says what it is, and how to get a real model', async (t) => {
  const person = new Person(t, {});
  const first = await person.run(['chat'], 'hello\n');
  assert.equal(first.code, 0, first.err);
  assert.match(first.err, /first agent, helper.*the demo, a script.*no key is set/);
  assert.match(first.out, /script[^]*\.\/halfdoor setup/);
  const again = await person.run(['chat'], '1\n');
  assert.equal(again.code, 0);
  assert.doesNotMatch(again.err, /first agent/);
});

test('a local model is found, gets no key, and answers', async (t) => {
  const ollama = await openOllama();
  t.after(() => ollama.close());
  const person = new Person(t, { OLLAMA_HOST: `127.0.0.1:${ollama.port}` });
  const { code, out, err } = await person.run(['chat'], 'hello\n');
  assert.equal(code, 0, err);
  assert.match(err, /Models there: newer:8b, older:7b[^]*thinks with newer:8b of Ollama, since Ollama runs on this/);
  assert.match(out, /from the local model/);
  assert.deepEqual(
    ollama.asked.filter((it) => it.authorization?.includes('key')),
    [],
  );
});

test('with --yes a key of the environment is kept, and there for a host from another shell', async (t) => {
  const endpoint = await anthropic(t, [say('one'), say('two')]);
  const key = { ANTHROPIC_API_KEY: 'sk-first-run-0123456789' };
  const person = new Person(t, { ANTHROPIC_BASE_URL: endpoint.baseUrl });
  const first = await person.run(['chat', '--yes'], 'hello\n', key);
  assert.equal(first.code, 0, first.err + first.out);
  assert.match(first.err, /Kept ANTHROPIC_API_KEY, encrypted[^]*since ANTHROPIC_API_KEY is set/);
  await person.run(['stop']);
  const second = await person.run(['chat'], 'again\n');
  assert.match(second.out, /two/);
  assert.deepEqual(
    endpoint.asked.map((it) => it.headers['x-api-key']),
    endpoint.asked.map(() => key.ANTHROPIC_API_KEY),
  );
  assert.ok(!`${first.out}${first.err}${second.out}`.includes(key.ANTHROPIC_API_KEY));
});

test('from a pipe nothing is kept that was not asked about: the key stays in memory', async (t) => {
  const endpoint = await anthropic(t, [say('one')]);
  const person = new Person(t, { ANTHROPIC_BASE_URL: endpoint.baseUrl, ANTHROPIC_API_KEY: 'sk-memory-0123456789' });
  const { out, err } = await person.run(['chat'], 'hello\n');
  assert.match(out, /one/, err);
  const { out: listed } = await person.run(['secrets', 'list', '--json']);
  assert.match(listed, /"environment"/);
  assert.doesNotMatch(listed, /"kept"/);
});

test('a key that is refused: the reason and two ways on, no agent, and no demo in silence', async (t) => {
  const person = new Person(t, { OPENAI_API_KEY: 'sk-wrong-0123456789', OPENAI_BASE_URL: 'http://127.0.0.1:1/v1' });
  const { code, out, err } = await person.run(['chat'], 'hello\n');
  assert.deepEqual([code, out], [1, '']);
  assert.match(err, /OPENAI_API_KEY is set, but [^]*--provider demo/);
  assert.equal((await person.run(['agents', 'list', '--json'])).out.trim(), '[]');
});

test('setup by a file of answers; again, it changes nothing', async (t) => {
  const person = new Person(t, {});
  const path = join(person.home, 'answers.json');
  writeFileSync(path, JSON.stringify({ provider: 'demo', agent: 'ada' }));
  const first = await person.run(['setup', '--answers', path]);
  assert.equal(first.code, 0, first.err);
  assert.match(first.err, /Sandbox: its programs are here[^]*Host: started[^]*Made ada: demo, in bubblewrap/);
  assert.match(first.out, /\.\/halfdoor chat ada/);
  const again = await person.run(['setup', '--yes']);
  assert.match(again.err, /Host: it runs/);
  assert.doesNotMatch(again.err, /Made|Changed/);
});

test('setup says that an endpoint does not answer, and is run again once it does', async (t) => {
  const busy = { status: 529, body: { error: { type: 'overloaded_error', message: 'busy' } } };
  const endpoint = await anthropic(t, [busy, busy, { status: 404, body: {} }, { status: 200, body: { content: [] } }]);
  const person = new Person(t, {});
  const path = join(person.home, 'answers.json');
  const model = 'an-older-model';
  const answers = { provider: 'endpoint', 'base-url': endpoint.baseUrl, api: 'anthropic', agent: 'helper', model };
  writeFileSync(path, JSON.stringify(answers));
  const first = await person.run(['setup', '--answers', path]);
  assert.equal(first.code, 1);
  assert.match(first.err, /could not be listed[^]*Made helper[^]*It does not answer: [^]*overloaded/);
  const again = await person.run(['setup', '--answers', path]);
  assert.equal(again.code, 0, again.err);
  assert.match(again.err, /Changed helper[^]*It answers \(\d+ ms\)/);
});

test('a home that nobody may write is a clear error with a next step', async (t) => {
  const person = new Person(t, {});
  const home = join(person.home, 'locked');
  mkdirSync(home, { mode: 0o500 });
  const { code, out, err } = await person.run(['chat'], 'hello\n', { HALFDOOR_HOME: home });
  assert.deepEqual([code, out], [1, '']);
  assert.match(err, /permission denied|may not|cannot/i);
  assert.match(err, /\.\/halfdoor doctor/);
});
