/** One streamed request to the model, and what it asks for. Nothing is run and nothing is tried again here. */
import { jsonSchema, streamText, tool, type ModelMessage, type ToolSet } from 'ai';
import type { ProviderEvent, Tool } from '../provider.ts';
import type { Model } from './model.ts';

export type Request = Model & {
  instructions: string;
  messages: readonly ModelMessage[];
  tools: readonly Tool[];
  signal: AbortSignal;
};

/** `fault` says why a call cannot be run as it stands; the model is told. */
export type Call = { id: string; name: string; input: Record<string, unknown>; fault: string | null };

export type Step = {
  text: string;
  calls: Call[];
  /** What the model said, as it is to be given back to it. */
  messages: ModelMessage[];
  inputTokens: number;
  outputTokens: number;
};

/** Yields text as it comes, and a sign of life for each other part. Throws what the endpoint or the way to it answered. */
export async function* request(it: Request): AsyncGenerator<ProviderEvent, Step> {
  const result = streamText({
    model: it.language,
    instructions: it.instructions,
    messages: [...it.messages],
    tools: offered(it.tools),
    abortSignal: it.signal,
    maxRetries: 0,
    ...(it.maxOutputTokens === undefined ? {} : { maxOutputTokens: it.maxOutputTokens }),
    // The error itself comes as a part of the stream.
    onError: () => undefined,
  });
  let text = '';
  const calls: Call[] = [];
  for await (const part of result.fullStream) {
    if (part.type === 'error') throw part.error;
    // These two the client makes itself, before the endpoint has said anything.
    if (part.type === 'start' || part.type === 'start-step') continue;
    if (part.type === 'tool-call') calls.push(callOf(part));
    if (part.type === 'text-delta') {
      text += part.text;
      yield { type: 'delta', text: part.text };
    } else yield { type: 'activity' };
  }
  it.signal.throwIfAborted();
  const [response, usage] = await Promise.all([result.response, result.usage]);
  const messages = response.messages.filter((message) => message.role === 'assistant');
  return { text, calls, messages, inputTokens: usage.inputTokens ?? 0, outputTokens: usage.outputTokens ?? 0 };
}

/** Offered without a way to run them: the query runs them, one at a time. */
function offered(tools: readonly Tool[]): ToolSet {
  return Object.fromEntries(
    tools.map(({ name, description, inputSchema }) => [
      name,
      tool({ description, inputSchema: jsonSchema(inputSchema) }),
    ]),
  );
}

type ToolCall = { toolCallId: string; toolName: string; input: unknown; invalid?: boolean };

function callOf({ toolCallId: id, toolName: name, input, invalid }: ToolCall): Call {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    return { id, name, input: {}, fault: 'the input of this call is not a JSON object' };
  }
  const fault = invalid ? `this call does not fit the tools there are` : null;
  return { id, name, input: input as Record<string, unknown>, fault };
}
