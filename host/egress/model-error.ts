/**
 * What the model endpoint refused, as a code of ours: another program's error text can carry keys, paths and account
 * names, so none of it goes inside.
 */
export type ModelErrorCode =
  | 'authentication_error'
  | 'insufficient_quota'
  | 'rate_limit_error'
  | 'context_length_exceeded'
  | 'invalid_request_error'
  | 'not_found_error'
  | 'overloaded_error'
  | 'endpoint_unreachable'
  | 'no_key'
  | 'not_allowed';

const TEXTS: Record<ModelErrorCode, string> = {
  authentication_error: 'The model endpoint refused the key.',
  insufficient_quota: 'The quota or credit at the model endpoint is used up.',
  rate_limit_error: 'The model endpoint asks to slow down.',
  context_length_exceeded: 'The conversation is longer than the context of the model.',
  invalid_request_error: 'The model endpoint refused the request; host.log has its words.',
  not_found_error: 'The model endpoint does not know this model or path; host.log has its words.',
  overloaded_error: 'The model endpoint is overloaded or failing.',
  endpoint_unreachable: 'The model endpoint could not be reached.',
  no_key: 'The host holds no key for this model endpoint.',
  not_allowed:
    'Only the paths of the model endpoint are served here, and only thinking is asked of it; host.log says more.',
};

const CONTEXT = /context[ _](length|window)|prompt is too long|maximum context|too many (input )?tokens/i;
const QUOTA = /insufficient_quota|credit balance|quota|billing/i;

/** Status and body of a refused model request → our code. Errors of unknown kind count as passing ones. */
export function classify(status: number, body: string): ModelErrorCode {
  if (CONTEXT.test(body) && status >= 400 && status < 500) return 'context_length_exceeded';
  if (status === 401 || status === 403) return 'authentication_error';
  if (status === 402 || (status === 429 && QUOTA.test(body)) || (status === 400 && /credit balance/i.test(body))) {
    return 'insufficient_quota';
  }
  if (status === 429) return 'rate_limit_error';
  if (status === 404) return 'not_found_error';
  if (status >= 400 && status < 500) return 'invalid_request_error';
  return 'overloaded_error';
}

/** Waited for where the request is made; past this the message is put aside instead. */
const SHORT_WAIT_MS = 60_000;

/** What is refused for long is no matter of slowing down. */
export function classifyWait(code: ModelErrorCode, resetsAt: Date | null, now: Date): ModelErrorCode {
  const isLong = resetsAt !== null && resetsAt.getTime() - now.getTime() > SHORT_WAIT_MS;
  return code === 'rate_limit_error' && isLong ? 'insufficient_quota' : code;
}

export type ErrorDetail = { message?: string; resetsAt?: Date | null; now?: Date };

/**
 * A body that clients of both protocols can read. `message` is a sentence of ours where one says more than the code;
 * `resets_at` and `wait_ms` say until when nothing will be taken, where that is known.
 */
export function errorBody(code: ModelErrorCode, { message = TEXTS[code], resetsAt, now }: ErrorDetail = {}): string {
  const waitMs = resetsAt && now ? Math.max(0, resetsAt.getTime() - now.getTime()) : null;
  const until = resetsAt ? { resets_at: resetsAt.toISOString(), wait_ms: waitMs } : {};
  return JSON.stringify({ type: 'error', error: { type: code, code, message, ...until } });
}

const KINDS: Record<ModelErrorCode, string> = {
  authentication_error: 'auth',
  insufficient_quota: 'quota',
  rate_limit_error: 'transient',
  context_length_exceeded: 'model',
  invalid_request_error: 'model',
  not_found_error: 'model',
  overloaded_error: 'transient',
  endpoint_unreachable: 'transient',
  no_key: 'auth',
  not_allowed: 'model',
};

/** A code as a reason that `failureOf` understands. */
export function reasonOf(code: ModelErrorCode, message?: string): string {
  const said = message ?? TEXTS[code].charAt(0).toLowerCase() + TEXTS[code].slice(1, -1);
  return `${KINDS[code]}: ${said}`;
}
