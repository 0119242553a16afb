// needs: userns
/** The tool that reads a page goes the same way as everything else inside, and is told no in the same words. */
import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { change, openOutside } from '../world/outside.ts';

const page =
  (type: string, text: string | Buffer): RequestListener =>
  (_asked, answer) =>
    void answer.writeHead(200, { 'content-type': type }).end(text);

const redirect = (answer: Parameters<RequestListener>[1], location: string): void =>
  void answer.writeHead(302, { location }).end();

const docs: RequestListener = (asked, answer) => {
  const { url = '' } = asked;
  if (url === '/page')
    return page('text/html; charset=utf-8', '<title>T</title><p>caf&eacute; <a href="/b">b</a>')(asked, answer);
  if (url === '/latin')
    return page('text/html; charset=iso-8859-1', Buffer.from('<p>caf\u00e9', 'latin1'))(asked, answer);
  if (url === '/json') return page('application/json', '{"a":1}')(asked, answer);
  if (url === '/image') return page('image/png', 'x')(asked, answer);
  if (url === '/large') return page('text/plain', 'y'.repeat(5 * 1024 * 1024))(asked, answer);
  if (url === '/round') return redirect(answer, '/round');
  if (url === '/away') return redirect(answer, 'https://other.example/page');
  if (url === '/plain') return redirect(answer, 'http://docs.example/page');
  if (url === '/on') return redirect(answer, '/page');
  return void answer.writeHead(404).end();
};

async function stage(t: TestContext) {
  const { world, ca } = await openOutside(t, { 'docs.example': docs, 'other.example': page('text/plain', 'other') });
  appendFileSync(join(world.home, 'etc', 'ssl', 'certs', 'ca-certificates.crt'), ca);
  return { world, fetch: (url: string) => world.reply('maya', `@tool web_fetch ${JSON.stringify({ url })}`) };
}

test('a page is read as text, whatever it is written in, and redirects are followed where rules allow', async (t) => {
  const { world, fetch } = await stage(t);
  const refused = await fetch('https://docs.example/page');
  assert.equal(
    refused,
    'web_fetch failed: maya may not reach docs.example. Its owner allows it with: ./halfdoor agents allow maya docs.example',
  );
  await change(world, 'PUT', 'docs.example');
  assert.equal(
    await fetch('https://docs.example/page'),
    'https://docs.example/page\n\n# T\n\ncafé b (https://docs.example/b)',
  );
  assert.equal(await fetch('https://docs.example/latin'), 'https://docs.example/latin\n\ncafé');
  assert.equal(await fetch('https://docs.example/json'), 'https://docs.example/json\n\n{"a":1}');
  assert.match(await fetch('https://docs.example/on'), /^https:\/\/docs\.example\/page\n/);
  assert.match(await fetch('https://docs.example/image'), /failed: .* is image\/png, no text\. Get it with curl/);
  assert.match(await fetch('https://docs.example/none'), /failed: .* answered with 404/);
  assert.match(await fetch('https://docs.example/round'), /failed: .* leads on more than 5 times/);
  assert.match(await fetch('https://docs.example/away'), /failed: maya may not reach other\.example\./);
  assert.match(
    await fetch('https://docs.example/plain'),
    /failed: http:\/\/docs\.example\/page is no address by https/,
  );
  const large = await fetch('https://docs.example/large');
  assert.ok(large.endsWith('y\n(cut here)') && Buffer.byteLength(large) <= 64 * 1024 + 20);
  for (const url of ['http://docs.example/', 'https://u:p@docs.example/', 'file:///etc/passwd', 'docs.example']) {
    assert.match(await fetch(url), /failed: .* is no address by https/, url);
  }
  assert.match(await fetch('https://127.0.0.1/'), /failed: No address is reached from here/);
  await change(world, 'PUT', 'other.example');
  assert.equal(await fetch('https://docs.example/away'), 'https://other.example/page\n\nother');
});
