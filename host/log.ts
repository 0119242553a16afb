/** One JSON object a line: {at, level, scope, message, …}. Never the text of a message, never a key. */
export type Log = {
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  scope(name: string): Log;
};

export function makeLog(write: (line: string) => void, now: () => Date, scope = 'host'): Log {
  const at = (level: string) => (message: string, fields?: Record<string, unknown>) =>
    write(`${JSON.stringify({ at: now().toISOString(), level, scope, message, ...fields })}\n`);
  return {
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    scope: (name) => makeLog(write, now, name),
  };
}

export const errorText = (error: unknown): string => (error instanceof Error ? error.message : String(error));
