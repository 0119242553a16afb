// needs: userns
/** An agent searches by the endpoint that the owner set; the key for it stays with the host, and a rule decides who may. */
import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test, type TestContext } from 'node:test';
import { runCli, type Ended } from '../../cli/tests/run-cli.ts';
import { openWorld, type World } from '../world/host.ts';

type Asked = { method: string; url: string; headers: IncomingHttpHeaders; body: string };

/** An engine that says what it is told to, to everybody. */
async function openEngine(t: TestContext) {
  const asked: Asked[] = [];
  const says = { status: 200, body: '{}' };
  const server = createServer((incoming, outgoing) => {
    let body = '';
    incoming.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      asked.push({ method, url, headers, body });
      outgoing.writeHead(says.status, { 'content-type': 'application/json' }).end(says.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, says, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

const HIT = { title: 'A page', url: 'https://a.example/', content: 'About it.', description: 'About it.' };
const SHOWN = '1. A page\nhttps://a.example/\nAbout it.';

async function stage(t: TestContext) {
  const engine = await openEngine(t);
  const world = await openWorld(t);
  await world.createAgent({ name: 'maya', sandbox: 'bubblewrap' });
  const cli = (...words: string[]): Promise<Ended> => runCli(world.home, words);
  const search = (query: unknown): Promise<string> =>
    world.reply('maya', `@tool web_search ${JSON.stringify({ query })}`);
  return { engine, world, cli, search };
}

const keep = async (world: World): Promise<void> =>
  assert.equal((await world.call('PUT', '/v1/secrets/SEARCH_KEY', { value: 'sk-search-7Q2mX9wL' })).status, 200);

test('nobody searches before an owner has set an endpoint and let an agent', async (t) => {
  const { engine, cli, search } = await stage(t);
  engine.says.body = JSON.stringify({ results: [HIT, { title: 1 }, { ...HIT, title: 'Another', content: null }] });
  assert.equal(
    await search('cats'),
    'web_search failed: maya may not search. Its owner allows it with: ./halfdoor agents allow maya search',
  );
  assert.equal((await cli('agents', 'allow', 'maya', 'search')).code, 0);
  assert.match(await search('cats'), /failed: No search endpoint is set\. .*halfdoor search set ENGINE/);
  const set = await cli('search', 'set', 'searxng', '--url', `${engine.url}/`);
  assert.deepEqual([set.code, set.out.includes(`searxng at ${engine.url}\n`)], [0, true], set.err);
  assert.equal(await search('cats & dogs'), `${SHOWN}\n\n2. Another\nhttps://a.example/`);
  assert.deepEqual(
    engine.asked.map(({ method, url }) => `${method} ${url}`),
    ['GET /search?q=cats+%26+dogs&format=json'],
  );
  engine.says.body = '{"results":[]}';
  assert.equal(await search('nothing'), '(nothing was found)');
  assert.match(await search(''), /failed: web_search needs/);
  assert.match(await search('x'.repeat(1_001)), /failed: Give a query of 1 to 1000 characters/);
  assert.match((await cli('agents', 'hosts', 'maya')).out, /^search +the search endpoint/m);
  assert.equal((await cli('agents', 'deny', 'maya', 'search')).code, 0);
  assert.match(await search('cats'), /maya may not search/);
  assert.equal((await cli('search', 'remove')).code, 0);
  assert.match((await cli('search', 'show')).out, /no search endpoint is set/);
  assert.equal((await cli('search', 'remove')).code, 1);
  assert.equal(engine.asked.length, 2);
});

test('each engine is asked in its own words, its key given by the host', async (t) => {
  const { engine, world, cli, search } = await stage(t);
  await keep(world);
  await cli('agents', 'allow', 'maya', 'search');
  const set = (name: string): Promise<Ended> => cli('search', 'set', name, '--url', engine.url, '--key', 'SEARCH_KEY');
  assert.equal((await set('brave')).code, 0);
  engine.says.body = JSON.stringify({ web: { results: [HIT] } });
  assert.equal(await search('cats'), SHOWN);
  assert.equal((await set('tavily')).code, 0);
  engine.says.body = JSON.stringify({ results: [HIT] });
  assert.equal(await search('cats'), SHOWN);
  const [brave, tavily] = engine.asked;
  assert.deepEqual(
    [brave?.url, brave?.headers['x-subscription-token']],
    ['/res/v1/web/search?q=cats&count=10', 'sk-search-7Q2mX9wL'],
  );
  assert.deepEqual(
    [tavily?.method, tavily?.url, tavily?.headers.authorization, tavily?.body],
    ['POST', '/search', 'Bearer sk-search-7Q2mX9wL', '{"query":"cats","max_results":10}'],
  );
  for (const [words, said] of [
    [['brave'], /brave wants a key/],
    [['searxng'], /searxng needs the address it stands at/],
    [['other'], /no search engine of this name/],
    [['brave', '--url', 'http://a.example', '--key', 'SEARCH_KEY'], /in the clear/],
  ] as const) {
    const { code, err } = await cli('search', 'set', ...words);
    assert.deepEqual([code, said.test(err.replaceAll('\n', ' '))], [1, true], err);
  }
});

test('what the endpoint says of an error stays with the host', async (t) => {
  const { engine, world, cli, search } = await stage(t);
  await keep(world);
  await cli('agents', 'allow', 'maya', 'search');
  await cli('search', 'set', 'tavily', '--url', engine.url, '--key', 'SEARCH_KEY');
  for (const [status, body] of [
    [401, '{"detail":"bad key sk-search-7Q2mX9wL"}'],
    [200, 'not JSON, sk-search-7Q2mX9wL'],
    [200, '[]'],
    [302, ''],
  ] as const) {
    Object.assign(engine.says, { status, body });
    assert.equal(
      await search('cats'),
      `web_search failed: The search endpoint answered with ${status} and no results; host.log has its words`,
    );
  }
  assert.ok(world.log.includes('[SEARCH_KEY]') && !world.log.includes('sk-search'));
  assert.equal((await world.call('DELETE', '/v1/secrets/SEARCH_KEY')).status, 200);
  assert.match(await search('cats'), /failed: The search endpoint wants a key: /);
});

test('an engine that says again the key it was given: it does not come inside, not even where a text is cut', async (t) => {
  const { engine, world, cli, search } = await stage(t);
  await keep(world);
  assert.equal((await cli('agents', 'allow', 'maya', 'search')).code, 0);
  assert.equal((await cli('search', 'set', 'tavily', '--url', engine.url, '--key', 'SEARCH_KEY')).code, 0);
  const about = `${'x'.repeat(990)} sk-search-7Q2mX9wL`;
  engine.says.body = JSON.stringify({
    results: [{ title: 'Bearer sk-search-7Q2mX9wL', url: HIT.url, content: about }],
  });
  const shown = await search('cats');
  assert.match(shown, /^1\. Bearer \[SEARCH_KEY\]\nhttps:\/\/a\.example\/\nx{990} \[SEARCH_K/);
});
