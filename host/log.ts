/** One JSON object a line: {at, level, scope, message, …}. Never the text of a message, never a key. */
export type Log = {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  scope(name: string): Log;
};

/** `redact` goes over every text of a line: whoever logs need not think of it. */
export function makeLog(
  write: (line: string) => void,
  now: () => Date,
  redact: (text: string) => string,
  scope = 'host',
): Log {
  const clean = (_key: string, value: unknown): unknown => (typeof value === 'string' ? redact(value) : value);
  const at = (level: string) => (message: string, fields?: Record<string, unknown>) =>
    write(`${JSON.stringify({ at: now().toISOString(), level, scope, message, ...fields }, clean)}\n`);
  return {
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    scope: (name) => makeLog(write, now, redact, name),
  };
}

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));
