/** Model servers on this machine that need no key, found by asking where they listen unless told otherwise. */
import { request } from 'node:http';

export type LocalServer = {
  id: 'ollama' | 'llama.cpp';
  name: string;
  /** As an agent is given it. */
  baseUrl: string;
  /** Newest first; may be empty. */
  models: string[];
};

const LOOK_MS = 500;
const ANSWER_BYTES = 1024 * 1024;

type Env = Readonly<Record<string, string | undefined>>;

/** Both at once; what does not answer within half a second is not there. */
export async function findLocalServers(env: Env): Promise<LocalServer[]> {
  const found = await Promise.all([ollama(env), llamaCpp(env)]);
  return found.filter((it) => it !== null);
}

/** Ollama's own list, with the time each was changed. Port 11434 unless OLLAMA_HOST says otherwise (its documentation). */
async function ollama(env: Env): Promise<LocalServer | null> {
  const origin = originOf(env.OLLAMA_HOST ?? '', 11434);
  const answer = origin === null ? null : await ask(`${origin}/api/tags`);
  const listed = (answer as { models?: unknown } | null)?.models;
  if (origin === null || !Array.isArray(listed)) return null;
  const models = listed
    .filter((it): it is { name: string; modified_at?: string } => typeof it?.name === 'string')
    .toSorted((a, b) => String(b.modified_at ?? '').localeCompare(String(a.modified_at ?? '')))
    .map((it) => it.name);
  return { id: 'ollama', name: 'Ollama', baseUrl: `${origin}/v1`, models };
}

/** llama-server's OpenAI-style list. Port 8080 unless LLAMA_ARG_PORT says otherwise (its documentation). */
async function llamaCpp(env: Env): Promise<LocalServer | null> {
  const origin = originOf(`${env.LLAMA_ARG_HOST ?? ''}:${env.LLAMA_ARG_PORT ?? ''}`, 8080);
  const answer = origin === null ? null : await ask(`${origin}/v1/models`);
  const listed = (answer as { data?: unknown } | null)?.data;
  if (origin === null || !Array.isArray(listed)) return null;
  // Anything may listen on 8080: only what says whose models it has is taken.
  const own = listed.filter((it) => it?.owned_by === 'llamacpp' && typeof it?.id === 'string');
  if (own.length === 0) return null;
  const models = own.map((it) => String((it as { id: string }).id));
  return { id: 'llama.cpp', name: 'llama.cpp', baseUrl: `${origin}/v1`, models };
}

/** Where it listens on this machine; null when it was told to be elsewhere. 0.0.0.0 is reached at 127.0.0.1. */
export function originOf(setting: string, port: number): string | null {
  const text = setting.replace(/^http:\/\//, '').replace(/\/+$/, '');
  const [, host = '', given = ''] = /^([^:/]*)(?::(\d*))?$/.exec(text) ?? [null, null];
  if (host === null) return null;
  const here = ['', '0.0.0.0', '127.0.0.1', 'localhost'].includes(host);
  return here ? `http://127.0.0.1:${given || port}` : null;
}

/** The answer as JSON; null for anything else. */
function ask(url: string): Promise<unknown> {
  return new Promise((resolve) => {
    const asked = request(url, { timeout: LOOK_MS, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => {
        text += part;
        if (text.length > ANSWER_BYTES) answer.destroy();
      });
      answer.on('close', () => resolve(answer.statusCode === 200 ? parse(text) : null));
    });
    // Not only until it connects: whatever listens there may never answer.
    const end = setTimeout(() => asked.destroy(), LOOK_MS);
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(null));
    asked.on('close', () => (clearTimeout(end), resolve(null)));
    asked.end();
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
