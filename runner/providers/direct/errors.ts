/**
 * What went wrong with a request, as the loop knows it. The host answers a refused request with a code of its own
 * (host/egress/model-error.ts); what breaks off in mid-stream comes as the endpoint's own event.
 */
import { APICallError } from 'ai';
import type { ErrorKind } from '../provider.ts';
import { BadConversation } from './conversation.ts';

/** `resetsAt`: when a quota does; `waitMs`: so long the endpoint asks to be left alone. */
export type Problem = { kind: ErrorKind; message: string; resetsAt?: string; waitMs?: number };

export const TOO_LONG: Problem = {
  kind: 'fatal',
  message: 'this conversation is longer than the model can take in. Begin afresh with /new',
};

const BY_CODE: Readonly<Record<string, Problem>> = {
  authentication_error: { kind: 'auth', message: 'the model endpoint refused the key' },
  no_key: { kind: 'auth', message: 'the host holds no key for this model endpoint' },
  insufficient_quota: { kind: 'quota', message: 'the quota or credit at the model endpoint is used up' },
  rate_limit_error: { kind: 'transient', message: 'the model endpoint asks to slow down' },
  overloaded_error: { kind: 'transient', message: 'the model endpoint is overloaded or failing' },
  endpoint_unreachable: { kind: 'transient', message: 'the model endpoint could not be reached' },
  context_length_exceeded: TOO_LONG,
  not_found_error: { kind: 'fatal', message: 'the model endpoint does not know this model; host.log has its words' },
  invalid_request_error: { kind: 'fatal', message: 'the model endpoint refused the request; host.log has its words' },
  not_allowed: { kind: 'fatal', message: 'only the paths of the model endpoint are served' },
};

/** Carries a problem that is already understood to the end of the query. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.message);
    this.problem = problem;
  }
}

const BROKEN: Problem = { kind: 'transient', message: 'the answer of the model endpoint broke off' };

export function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem;
  if (error instanceof BadConversation) return { kind: 'invalid-session', message: error.message };
  if (APICallError.isInstance(error)) return refused(error) ?? problemIn(error.data) ?? BROKEN;
  return problemIn(error) ?? BROKEN;
}

/** What is refused is answered by the host: about a key it says more than its code does, and in words of ours. */
function refused({ responseBody, statusCode = 0 }: APICallError): Problem | null {
  const problem = problemIn(responseBody);
  if (problem === null || statusCode < 400) return problem;
  const { error } = (parsed(responseBody ?? '') ?? {}) as { error?: Record<string, unknown> };
  const { message, resets_at: resetsAt, wait_ms: waitMs } = error ?? {};
  return {
    ...problem,
    ...(problem.kind === 'auth' && typeof message === 'string' && { message }),
    ...(typeof resetsAt === 'string' && { resetsAt }),
    ...(typeof waitMs === 'number' && { waitMs }),
  };
}

/** The code in an error body of either protocol, whole or as the event of a stream. */
function problemIn(body: unknown): Problem | null {
  const value = typeof body === 'string' ? parsed(body) : body;
  if (typeof value !== 'object' || value === null) return null;
  const { error, code, type } = value as { error?: unknown; code?: unknown; type?: unknown };
  for (const name of [code, type])
    if (typeof name === 'string' && Object.hasOwn(BY_CODE, name)) return BY_CODE[name] ?? null;
  return error === undefined ? null : problemIn(error);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
