/** A search as a session asks for it, at its own socket: the host asks the owner's endpoint, with a key that goes nowhere else. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SearchView } from '../api/egress-contract.ts';
import type { Clock } from '../clock.ts';
import { exchange } from '../egress/ask.ts';
import type { ModelKeys } from '../egress/endpoint.ts';
import { wholeBody } from '../egress/thinking-only.ts';
import { errorText, type Log } from '../log.ts';
import type { Redactor } from '../secrets/redact.ts';
import { withoutSecret, type Secret } from '../secrets/redact-stream.ts';
import { asking, resultsOf, type Result } from './engines.ts';

export type SearchDeps = {
  keys: ModelKeys;
  redactor: Redactor;
  clock: Clock;
  log: Log;
  /** As it is set now. */
  searchEndpoint(): Promise<SearchView | null>;
  /** Whether this agent may search, as its rules stand now. */
  maySearch(agentId: string): Promise<boolean>;
};

export const SEARCH_PATH = '/v1/search';

const BODY_BYTES = 8 * 1024;
const QUERY_CHARS = 1_000;
const DEADLINE_MS = 20_000;
const SAID_CHARS = 500;
const NOWHERE = { host: '', port: 443 };

/** `host` and `port` of the endpoint, if it came so far. */
export type Searched = { status: number; host: string; port: number };

type Answer = Searched & ({ results: Result[] } | { error: string });

/** Answers `{results}` or `{error}`, a sentence of ours. Resolves with how it went; never rejects. */
export async function serveSearch(
  deps: SearchDeps,
  agent: { id: string; name: string },
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<Searched> {
  const body = await wholeBody(incoming, BODY_BYTES);
  const { status, host, port, ...said } = await search(deps, agent, queryIn(body)).catch((error: unknown): Answer => {
    deps.log.warn('search', { error: errorText(error) });
    return { status: 500, ...NOWHERE, error: 'The search could not be done; host.log says why.' };
  });
  outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(said));
  return { status, host, port };
}

function queryIn(body: Buffer | null): string | null {
  try {
    const { query } = JSON.parse(body?.toString('utf8') ?? '') as { query?: unknown };
    return typeof query === 'string' && query.trim() !== '' && query.length <= QUERY_CHARS ? query : null;
  } catch {
    return null;
  }
}

async function search(deps: SearchDeps, agent: { id: string; name: string }, query: string | null): Promise<Answer> {
  const { name } = agent;
  if (!(await deps.maySearch(agent.id))) {
    const error = `${name} may not search. Its owner allows it with: ./halfdoor agents allow ${name} search`;
    return { status: 403, ...NOWHERE, error };
  }
  const endpoint = await deps.searchEndpoint();
  if (endpoint === null) {
    return {
      status: 503,
      ...NOWHERE,
      error: 'No search endpoint is set. The owner sets one with: ./halfdoor search set ENGINE',
    };
  }
  const at = placeOf(endpoint);
  if (query === null) return { status: 400, ...at, error: `Give a query of 1 to ${QUERY_CHARS} characters` };
  const key = endpoint.key === null ? null : deps.keys(endpoint.key);
  if (key !== null && !key.ok) return { status: 503, ...at, error: `The search endpoint wants a key: ${key.fault}` };
  const shown = key === null ? null : { name: endpoint.key ?? 'KEY', value: key.value };
  return ask(deps, endpoint, shown, asking(endpoint.engine, endpoint.baseUrl, key?.value ?? null, query));
}

async function ask(
  deps: SearchDeps,
  endpoint: SearchView,
  key: Secret | null,
  it: ReturnType<typeof asking>,
): Promise<Answer> {
  const { url, method, headers, body } = it;
  const at = placeOf(endpoint);
  const question = { url, method, deadlineMs: DEADLINE_MS, ...(body === undefined ? {} : { body }) };
  const all = { accept: 'application/json', 'content-type': 'application/json', ...headers };
  try {
    const { status, text } = await exchange(deps.clock, question, all);
    // Before anything is cut: half a key would not be found.
    const clean = key === null ? text : withoutSecret(text, key);
    const results = status === 200 ? resultsOf(endpoint.engine, parsed(clean)) : null;
    if (results !== null) return { status: 200, ...at, results };
    deps.log.warn('search endpoint', { ...at, status, said: deps.redactor.beginning(text, SAID_CHARS) });
    const error = `The search endpoint answered with ${status} and no results; host.log has its words`;
    return { status: 502, ...at, error };
  } catch (error) {
    deps.log.warn('search endpoint', { ...at, error: errorText(error) });
    return { status: 502, ...at, error: 'The search endpoint could not be reached' };
  }
}

function placeOf({ baseUrl }: SearchView): Omit<Searched, 'status'> {
  const { hostname: host, port, protocol } = new URL(baseUrl);
  return { host, port: Number(port) || (protocol === 'https:' ? 443 : 80) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
