/** A page, asked for through the session's own way out: the host's rules decide about its host, and about each it leads on to. */
import { existsSync, readFileSync } from 'node:fs';
import { LIMITS } from '@halfdoor/protocol/limits';
import { readable } from './readable.ts';

/** `proxy`: where the way out is asked, as a URL; null where there is none. `certificates`: the file of those that are trusted. */
export type Way = { proxy: string | null; certificates: string };

const REDIRECTS = 5;
const FETCH_MS = 30_000;
/** Of a page much is no text. */
const PAGE_BYTES = 4 * 1024 * 1024;
const HTML = /^(text\/html|application\/xhtml\+xml)\b/;
const TEXT = /^(text\/|application\/([\w.+-]+\+)?(json|xml|yaml|javascript|ecmascript|toml|x-sh)\b)/;

/** Its readable text, at most `LIMITS.toolOutputBytes`, under its address. Throws what the model can do something about. */
export async function readPage(way: Way, url: string): Promise<string> {
  const { answer, at } = await follow(way, url);
  const type = (answer.headers.get('content-type') ?? 'text/plain').toLowerCase();
  if (!answer.ok) throw new Error(`${at} answered with ${answer.status}`);
  if (!HTML.test(type) && !TEXT.test(type)) {
    await answer.body?.cancel();
    throw new Error(`${at} is ${type.split(';', 1)[0]}, no text. Get it with curl in the shell.`);
  }
  const { text, whole } = await beginningOf(answer);
  return shown(at, HTML.test(type) ? readable(text, at) : text, whole);
}

/** The answer at the end of the redirects, and where it was found. Throws what the model can do something about. */
async function follow({ proxy, certificates }: Way, url: string): Promise<{ answer: Response; at: string }> {
  if (proxy === null) throw new Error('there is no way out of this sandbox');
  const tls = existsSync(certificates) ? { ca: readFileSync(certificates, 'utf8') } : {};
  const signal = AbortSignal.timeout(FETCH_MS);
  let at = url;
  for (let n = 0; n <= REDIRECTS; n++) {
    const { href, host } = parsed(at);
    const headers = { accept: 'text/html, text/*;q=0.9, application/json;q=0.9, */*;q=0.1', 'user-agent': 'halfdoor' };
    const answer = await fetch(href, { proxy, tls, headers, redirect: 'manual', signal }).catch((error: unknown) => {
      throw new Error(whyNot(error, host), { cause: error });
    });
    const location = answer.headers.get('location');
    if (answer.status < 300 || answer.status > 399 || location === null) return { answer, at: href };
    await answer.body?.cancel();
    if (!URL.canParse(location, href)) throw new Error(`${href} leads to what is no address`);
    at = new URL(location, href).href;
  }
  throw new Error(`${url} leads on more than ${REDIRECTS} times`);
}

function parsed(url: string): URL {
  const it = URL.canParse(url) ? new URL(url) : null;
  if (it?.protocol === 'https:' && it.username === '' && it.password === '') return it;
  throw new Error(`${url.slice(0, 200)} is no address by https. Give one like https://example.com/page`);
}

/** What the host refused stands in the error of a tunnel, in a sentence. */
function whyNot(error: unknown, host: string): string {
  const { name, statusText, message, code } = error as { [key in 'name' | 'statusText' | 'message' | 'code']?: string };
  if (name === 'TimeoutError') return `${host} did not answer within ${FETCH_MS / 1000} s`;
  return statusText || `${host} could not be read: ${code ?? message ?? 'the connection broke off'}`;
}

async function beginningOf(answer: Response): Promise<{ text: string; whole: boolean }> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body ?? []) {
    parts.push(part);
    bytes += part.length;
    if (bytes > PAGE_BYTES) break;
  }
  const taken = Buffer.concat(parts).subarray(0, PAGE_BYTES);
  return { text: new TextDecoder(charsetOf(answer)).decode(taken), whole: bytes <= PAGE_BYTES };
}

function charsetOf({ headers }: Response): ConstructorParameters<typeof TextDecoder>[0] {
  const named = /charset="?([\w-]+)/i.exec(headers.get('content-type') ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(named as 'utf-8').encoding as 'utf-8';
  } catch {
    return 'utf-8';
  }
}

/** Cut at a whole character. */
function shown(at: string, text: string, whole: boolean): string {
  const head = `${at}\n\n`;
  const bytes = Buffer.from(head + text);
  if (whole && bytes.length <= LIMITS.toolOutputBytes) return head + (text || '(no text)');
  const cut = bytes
    .subarray(0, LIMITS.toolOutputBytes)
    .toString('utf8')
    .replace(/\ufffd+$/, '');
  return `${cut}\n(cut here)`;
}
