import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { openOllama } from '../../tests/fakes/ollama.ts';
import { findLocalServers, originOf } from '../setup/local-models.ts';

async function listen(t: TestContext, answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  return String((server.address() as AddressInfo).port);
}

/** A port of the machine where nobody listens. */
const NOBODY = '127.0.0.1:1';

test('Ollama is found where OLLAMA_HOST says, its newest model first', async (t) => {
  const ollama = await openOllama();
  t.after(() => ollama.close());
  const found = await findLocalServers({ OLLAMA_HOST: `0.0.0.0:${ollama.port}`, LLAMA_ARG_PORT: '1' });
  const baseUrl = `http://127.0.0.1:${ollama.port}/v1`;
  assert.deepEqual(found, [{ id: 'ollama', name: 'Ollama', baseUrl, models: ['newer:8b', 'older:7b'] }]);
});

test('llama.cpp is found by whose models it says it has', async (t) => {
  const data = [{ id: 'model.gguf', owned_by: 'llamacpp' }];
  const LLAMA_ARG_PORT = await listen(t, (_, answer) => void answer.end(JSON.stringify({ data })));
  const found = await findLocalServers({ OLLAMA_HOST: NOBODY, LLAMA_ARG_PORT });
  assert.deepEqual(
    found.map((it) => [it.id, it.models]),
    [['llama.cpp', ['model.gguf']]],
  );
});

for (const [name, answer] of [
  ['another server', (_, it) => void it.end('<html>')],
  ['a list of somebody else', (_, it) => void it.end('{"data":[{"id":"x","owned_by":"me"}],"models":[3]}')],
  ['one that refuses', (_, it) => void it.writeHead(401).end('{"data":[],"models":[]}')],
  ['one that says nothing', () => undefined],
  ['one that never ends', (_, it) => void setInterval(() => it.write(' '.repeat(65_536)), 1).unref()],
] as [string, RequestListener][]) {
  test(`${name} is not taken for a model server`, async (t) => {
    const port = await listen(t, answer);
    const found = await findLocalServers({ OLLAMA_HOST: `127.0.0.1:${port}`, LLAMA_ARG_PORT: port });
    assert.deepEqual(
      found.filter((it) => it.models.length > 0),
      [],
    );
  });
}

test('only this machine is asked', () => {
  assert.equal(originOf('', 11434), 'http://127.0.0.1:11434');
  assert.equal(originOf('http://localhost:5/', 11434), 'http://127.0.0.1:5');
  assert.equal(originOf(':', 8080), 'http://127.0.0.1:8080');
  for (const elsewhere of ['10.0.0.1:11434', 'models.example', 'https://127.0.0.1:1', '127.0.0.1:x', 'a@127.0.0.1:1']) {
    assert.equal(originOf(elsewhere, 11434), null, elsewhere);
  }
});
