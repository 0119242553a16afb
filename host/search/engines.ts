/** How each search engine is asked, and what of its answer goes inside. */
import type { OutgoingHttpHeaders } from 'node:http';

export const ENGINES = ['searxng', 'brave', 'tavily'] as const;
export type Engine = (typeof ENGINES)[number];

export type Asking = { url: URL; method: 'GET' | 'POST'; headers: OutgoingHttpHeaders; body?: object };
export type Result = { title: string; url: string; text: string };

/** `key`: the engine cannot be asked without one. `base` null: the owner says where it stands. */
export const ABOUT: Readonly<Record<Engine, { base: string | null; key: boolean }>> = {
  searxng: { base: null, key: false },
  brave: { base: 'https://api.search.brave.com', key: true },
  tavily: { base: 'https://api.tavily.com', key: true },
};

const RESULTS = 10;
const TITLE_CHARS = 300;
const TEXT_CHARS = 1_000;
const URL_CHARS = 2_000;

/** `base` without a slash at its end. */
export function asking(engine: Engine, base: string, key: string | null, query: string): Asking {
  switch (engine) {
    // https://docs.searxng.org/dev/search_api.html; json must be among its formats.
    case 'searxng':
      return { url: within(base, '/search', { q: query, format: 'json' }), method: 'GET', headers: bearer(key) };
    // https://api-dashboard.search.brave.com/app/documentation/web-search
    case 'brave': {
      const headers = key === null ? {} : { 'x-subscription-token': key };
      return { url: within(base, '/res/v1/web/search', { q: query, count: String(RESULTS) }), method: 'GET', headers };
    }
    // https://docs.tavily.com/documentation/api-reference/endpoint/search
    case 'tavily': {
      const body = { query, max_results: RESULTS };
      return { url: within(base, '/search', {}), method: 'POST', headers: bearer(key), body };
    }
  }
}

const bearer = (key: string | null): OutgoingHttpHeaders => (key === null ? {} : { authorization: `Bearer ${key}` });

function within(base: string, path: string, query: Record<string, string>): URL {
  const url = new URL(`${base}${path}`);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  return url;
}

/** Null when it is no answer of this engine. Whatever is not text in it is left away. */
export function resultsOf(engine: Engine, answer: unknown): Result[] | null {
  const list =
    engine === 'brave' ? field(field(answer, 'web') ?? { results: [] }, 'results') : field(answer, 'results');
  if (typeof answer !== 'object' || answer === null || !Array.isArray(list)) return null;
  return list.slice(0, RESULTS).flatMap((it: unknown): Result[] => {
    const [title, url] = [field(it, 'title'), field(it, 'url')];
    const text = field(it, engine === 'brave' ? 'description' : 'content');
    if (typeof title !== 'string' || typeof url !== 'string' || url.length > URL_CHARS) return [];
    const said = typeof text === 'string' ? text.slice(0, TEXT_CHARS) : '';
    return [{ title: title.slice(0, TITLE_CHARS), url, text: said }];
  });
}

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
