/** What thinks inside the sandbox. One provider is one file or folder beside this one; the loop knows none by name. */

/** Messages of one push, as the model reads them. `ids` are what `seen` reports; empty for a nudge of the runner. */
export type PromptMessage = { ids: string[]; text: string };

export type QueryInput = {
  prompt: PromptMessage;
  /** This provider's own handle, as it last reported it; never another provider's. */
  continuation?: string;
  cwd: string;
  systemContext: { instructions: string };
};

export type ProviderEvent =
  | { type: 'init'; continuation: string } // committed whenever it differs from the last one
  | { type: 'seen'; ids: string[] } // the backend has taken these in: the next result settles them
  | { type: 'activity' } // alive; nothing else to tell
  | { type: 'progress'; text: string; tool?: string | null } // lossy
  | { type: 'usage'; inputTokens: number; outputTokens: number; usd?: number }
  // Ends what was seen; more may follow if messages were pushed. `continuation` is committed with the reply.
  | { type: 'result'; text: string; continuation?: string }
  // `spent`: the provider has tried again by itself, and doing it from the start would repeat what it did.
  | { type: 'error'; kind: ErrorKind; message: string; resetsAt?: string; spent?: boolean };

export type ErrorKind = 'transient' | 'quota' | 'auth' | 'invalid-session' | 'fatal';

export type AgentQuery = {
  /** Never throws; ends after `end()` once everything pushed has its result, after an `error`, or after `abort()`. */
  events: AsyncIterable<ProviderEvent>;
  /** Into the running turn where the backend can, else after it. Ignored once the events have ended. */
  push(message: PromptMessage): void;
  /** No more will be pushed. */
  end(): void;
  /** Stops thinking and every process it started; resolves when they are gone. */
  abort(): Promise<void>;
};

export interface AgentProvider {
  readonly supportsNativeSlashCommands: boolean;
  query(input: QueryInput): AgentQuery;
  isSessionInvalid(error: unknown): boolean;
}

/** A tool that every provider offers under the same name. Its checks are courtesy: the host decides. */
export type Tool = {
  name: string;
  description: string;
  /** JSON Schema of the input object. */
  inputSchema: Record<string, unknown>;
  /** The text the model reads. Throws an Error whose message tells the model what to do instead. */
  run(input: Record<string, unknown>): Promise<string>;
};

/** What a provider is built from; given once, at the start of the run. */
export type ProviderDeps = {
  tools: readonly Tool[];
  model: string | null;
  /** Protocol of the model endpoint behind `netSocket`; null when this provider calls none. */
  api: 'anthropic' | 'openai' | null;
  /** Unix socket of the session's guarded way out. */
  netSocket: string;
  env: Record<string, string>;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  randomId(): string;
};
