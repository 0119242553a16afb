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
  // The model was asked and has said nothing yet. What `delta` told before is no part of the answer that comes now.
  | { type: 'asked' }
  | { type: 'activity' } // alive; nothing else to tell
  // The next piece of the answer, raw, as the model writes it; together they are a beginning of the text of `result`.
  // Lossy: a provider that cannot stream tells none, and nothing is sent for it.
  | { type: 'delta'; text: string }
  | { type: 'progress'; text: string; tool?: string | null } // lossy
  // What the model wrote before it went on to its tools: the messages in it are sent now, and `delta` begins anew.
  | { type: 'interim'; text: string }
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

/** The session as it is seen from inside, for a provider that shows it to people. */
export type Inside = {
  /** The folder that holds in/, out/ and work/. */
  base: string;
  /** Where the person has the folder that was given to work on; null without one. */
  folder(): string | null;
  /** Names, as they stand now. */
  destinations(): string[];
  /** Rows of the tables of the two files. */
  counts(): Record<string, number>;
  /** Hands the host a message to a name that is not checked here. Returns its number. Throws when no turn is under way. */
  attempt(to: string, text: string): number;
};

/** What a provider is built from; given once, at the start of the run. */
export type ProviderDeps = {
  tools: readonly Tool[];
  model: string | null;
  /** Protocol of the model endpoint behind `netSocket`; null when this provider calls none. */
  api: 'anthropic' | 'openai' | null;
  /** Unix socket of the session's guarded way out. */
  netSocket: string;
  /** Of everything that is started inside. */
  env: Record<string, string>;
  /** What the host refused of what was asked for outside, for the model that asked. */
  refusals: { take(): string[] };
  inside: Inside;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  randomId(): string;
};
