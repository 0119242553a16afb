/** What was said so far, as the model is given it again each time. Its text form is the provider's continuation. */
import type { ModelMessage } from 'ai';

const VERSION = 1;
/** Past this no model would take it in; the file it is kept in has its own limit. */
export const CONVERSATION_BYTES = 4 * 1024 * 1024;

/** What stands in the continuation is not a conversation of ours. */
export class BadConversation extends Error {
  override name = 'BadConversation';
}

/** Throws `BadConversation`. */
export function readConversation(continuation: string | undefined): ModelMessage[] {
  if (continuation === undefined) return [];
  let value: unknown;
  try {
    value = JSON.parse(continuation);
  } catch {
    throw new BadConversation('the kept conversation is not JSON');
  }
  const { version, messages } = (value ?? {}) as { version?: unknown; messages?: unknown };
  if (version !== VERSION || !Array.isArray(messages))
    throw new BadConversation('the kept conversation has another form');
  return messages as ModelMessage[];
}

/** null when it has grown past what can be kept. */
export function writeConversation(messages: readonly ModelMessage[]): string | null {
  const text = JSON.stringify({ version: VERSION, messages });
  return Buffer.byteLength(text) > CONVERSATION_BYTES ? null : text;
}
