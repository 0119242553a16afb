/**
 * One call of the Bot API (core.telegram.org/bots/api, "Making requests"): bounded in time and size, and what came of it.
 * The token stands in the path of every request: no error here repeats an address.
 */
import { isToken } from './settings.ts';

export type Called =
  | { ok: true; result: unknown }
  /** Telegram said no. */
  | { ok: false; by: 'telegram'; code: number; said: string; retryAfterMs: number | null; movedTo: string | null }
  /** It was not reached, or its answer did not come; `maybeSeen` when it may have done it all the same. */
  | { ok: false; by: 'network'; reason: string; maybeSeen: boolean };
export type NotCalled = Exclude<Called, { ok: true }>;

/** A body that is not JSON, with its own headers. */
export type RawBody = { headers: Record<string, string>; body: AsyncIterable<Uint8Array> };
export type CallOptions = { raw?: RawBody; deadlineMs?: number; signal?: AbortSignal };

export type BotApi = {
  /** Never rejects. */
  call(method: string, params?: Record<string, unknown>, options?: CallOptions): Promise<Called>;
  /** The content of a file that `getFile` named; null where there is none. Rejects when it does not come. */
  content(filePath: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | null>;
};

export type ApiDeps = {
  baseUrl: string;
  /** Asked at each call, so that a new one holds from the next; null when there is none. */
  token(): string | null;
  after(ms: number, fn: () => void): { cancel(): void };
  /** Ends what is under way. */
  closed: AbortSignal;
};

const DEADLINE_MS = 30_000;
const ANSWER_BYTES = 32 * 1024 * 1024;
/** Nothing was sent when one of these is what went wrong (nodejs.org/api/errors, undici's own). */
const NOT_SENT = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'UND_ERR_CONNECT_TIMEOUT'];

export function makeBotApi(deps: ApiDeps): BotApi {
  return {
    call: (method, params = {}, options = {}) => call(deps, method, params, options),
    content: (filePath, signal) => content(deps, filePath, signal),
  };
}

async function call(
  deps: ApiDeps,
  method: string,
  params: Record<string, unknown>,
  { raw, deadlineMs = DEADLINE_MS, signal }: CallOptions,
): Promise<Called> {
  if (deps.closed.aborted) return { ok: false, by: 'network', reason: 'the channel is closed', maybeSeen: false };
  const token = deps.token();
  if (token === null || !isToken(token)) return refused(401, 'Unauthorized: no token that a bot could have is kept');
  const { headers, body } = raw ?? {
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(params),
  };
  const limit = new AbortController();
  const timer = deps.after(deadlineMs, () => limit.abort());
  const signals = AbortSignal.any([limit.signal, deps.closed, ...(signal ? [signal] : [])]);
  try {
    const answer = await fetch(`${deps.baseUrl}/bot${token}/${method}`, {
      ...{ method: 'POST', headers, body, redirect: 'error', signal: signals, duplex: 'half' },
    } as RequestInit);
    return parse(answer.status, await textOf(answer));
  } catch (error) {
    const reason = limit.signal.aborted ? `no answer within ${deadlineMs / 1000} s` : causeOf(error);
    return { ok: false, by: 'network', reason, maybeSeen: !NOT_SENT.includes(codeOf(error)) };
  } finally {
    timer.cancel();
  }
}

async function content(deps: ApiDeps, filePath: string, signal: AbortSignal) {
  const path = filePath.split('/').map(encodeURIComponent).join('/');
  const signals = AbortSignal.any([signal, deps.closed]);
  const url = `${deps.baseUrl}/file/bot${deps.token() ?? ''}/${path}`;
  const answer = await fetch(url, { redirect: 'error', signal: signals });
  if (answer.status >= 500) throw new Error(`Telegram answered ${answer.status} for a file`);
  return answer.ok ? answer.body : null;
}

async function textOf(answer: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of answer.body ?? []) {
    bytes += part.length;
    if (bytes > ANSWER_BYTES) throw new Error(`an answer over ${ANSWER_BYTES} bytes`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** What is not Telegram's own way to answer comes from something in between: it may have been done. */
function parse(status: number, text: string): Called {
  let answer: Record<string, unknown>;
  try {
    answer = Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return { ok: false, by: 'network', reason: `${status}, and no JSON`, maybeSeen: status >= 500 || status < 300 };
  }
  if (answer.ok === true) return { ok: true, result: answer.result };
  const code = typeof answer.error_code === 'number' ? answer.error_code : status;
  const { retry_after: seconds, migrate_to_chat_id: chat } = Object(answer.parameters) as Record<string, unknown>;
  const retryAfterMs = typeof seconds === 'number' && seconds >= 0 ? Math.ceil(seconds * 1000) : null;
  const movedTo = typeof chat === 'number' ? String(chat) : null;
  const said = typeof answer.description === 'string' ? answer.description.slice(0, 500) : `error ${code}`;
  return { ok: false, by: 'telegram', code, said, retryAfterMs, movedTo };
}

const refused = (code: number, said: string): Called => ({
  ...{ ok: false, by: 'telegram', code, said },
  ...{ retryAfterMs: null, movedTo: null },
});

const codeOf = (error: unknown): string => {
  const { code } = Object(Object(error).cause) as { code?: unknown };
  return typeof code === 'string' ? code : '';
};

/** Codes and messages of the network alone: what `fetch` itself says may name the address. */
function causeOf(error: unknown): string {
  const code = codeOf(error);
  if (code !== '') return code;
  return error instanceof Error && error.message.startsWith('an answer over') ? error.message : 'the connection broke';
}
