/**
 * A model endpoint that says what it was told to, streamed as the real ones do. Wire formats: Anthropic's Messages
 * (docs.anthropic.com, "Streaming messages") and OpenAI's Chat Completions (platform.openai.com, "Streaming").
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Api = 'anthropic' | 'openai';

export type Answer =
  | { text: string }
  /** Calls a tool, having said `before` first. */
  | { tool: string; input: object | string; before?: string }
  /** Answered with this status and body, not streamed. */
  | { status: number; body: object; headers?: Record<string, string> }
  /** Begins to answer and drops the connection. */
  | { breaksOff: true }
  /** Answers this once the promise is resolved. */
  | { after: Promise<void>; text: string }
  /** A slow model: begins its answer at once, says the first part of the text after one promise, the rest after the other. */
  | { silentUntil: Promise<void>; restAfter: Promise<void>; text: string };

export type Asked = { path: string; headers: IncomingHttpHeaders; body: Record<string, unknown> };

/** The newest message that the request of this number gave the model, as JSON. */
export function newestMessage({ asked }: ModelEndpoint, request: number): string {
  const messages = asked[request]?.body.messages;
  return JSON.stringify(Array.isArray(messages) ? messages.at(-1) : null);
}

export type ModelEndpoint = { api: Api; baseUrl: string; asked: Asked[]; close(): Promise<void> };

/** Answers in the order given; a request too many is refused with 400. Its models are listed without one, unless scripted. `onAsked` sees each as it comes. */
export async function openModelEndpoint(
  api: Api,
  answers: Answer[],
  onAsked: (asked: Asked) => void = () => undefined,
): Promise<ModelEndpoint> {
  const asked: Asked[] = [];
  const server = createServer((incoming, outgoing) => {
    const first = answers[0];
    const scripted = first !== undefined && 'status' in first;
    if (incoming.method === 'GET' && incoming.url?.split('?')[0] === '/v1/models' && !scripted) {
      outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(modelList(api)));
      return;
    }
    void bodyOf(incoming).then(async (body) => {
      const it = { path: incoming.url ?? '', headers: incoming.headers, body };
      asked.push(it);
      onAsked(it);
      await say(api, answers.shift(), outgoing);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { api, baseUrl: `http://127.0.0.1:${port}/v1`, asked, close };
}

async function bodyOf(incoming: IncomingMessage): Promise<Record<string, unknown>> {
  let text = '';
  for await (const chunk of incoming.setEncoding('utf8')) text += chunk as string;
  return (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
}

async function say(api: Api, answer: Answer | undefined, outgoing: ServerResponse): Promise<void> {
  if (answer === undefined || 'status' in answer) {
    outgoing.writeHead(answer?.status ?? 400, { 'content-type': 'application/json', ...answer?.headers });
    outgoing.end(
      JSON.stringify(answer?.body ?? { error: { type: 'invalid_request_error', message: 'no more lines' } }),
    );
    return;
  }
  if ('after' in answer) await answer.after;
  outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
  if ('silentUntil' in answer) {
    outgoing.flushHeaders();
    await answer.silentUntil;
  }
  const events = api === 'anthropic' ? anthropic(answer) : openai(answer);
  // Up to the first piece of the text.
  const first = api === 'anthropic' ? 3 : 2;
  if ('silentUntil' in answer) {
    for (const event of events.splice(0, first)) outgoing.write(event);
    await answer.restAfter;
  }
  for (const event of 'breaksOff' in answer ? events.slice(0, 2) : events) outgoing.write(event);
  if ('breaksOff' in answer) outgoing.socket?.destroySoon();
  else outgoing.end();
}

/** Both lists as their references show them ("List models"). */
function modelList(api: Api): object {
  const ids = ['a-newer-model', 'an-older-model'];
  return api === 'anthropic'
    ? { data: ids.map((id, n) => ({ type: 'model', id, created_at: `2026-0${9 - n}-01T00:00:00Z` })), has_more: false }
    : {
        object: 'list',
        data: ids.map((id, n) => ({ object: 'model', id, created: 1_780_000_000 - n, owned_by: 'm' })),
      };
}

/** A text in three pieces, so that a client must put it together. */
function pieces(text: string): string[] {
  const third = Math.ceil(text.length / 3) || 1;
  return [text.slice(0, third), text.slice(third, 2 * third), text.slice(2 * third)];
}

const input = (it: { input: object | string }): string =>
  typeof it.input === 'string' ? it.input : JSON.stringify(it.input);

const textDeltas = (text: string): object[] => pieces(text).map((piece) => ({ type: 'text_delta', text: piece }));

function anthropic(answer: Exclude<Answer, { status: number }>): string[] {
  const event = (type: string, more: object): string =>
    `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
  const block =
    'tool' in answer
      ? { type: 'tool_use', id: `toolu_${Math.trunc(performance.now() * 1000)}`, name: answer.tool, input: {} }
      : { type: 'text', text: '' };
  const deltas =
    'tool' in answer
      ? pieces(input(answer)).map((partial_json) => ({ type: 'input_json_delta', partial_json }))
      : textDeltas('text' in answer ? answer.text : 'cut');
  const message = {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 1 },
  };
  const whole = (index: number, content_block: object, parts: readonly object[]): string[] => [
    event('content_block_start', { index, content_block }),
    ...parts.map((delta) => event('content_block_delta', { index, delta })),
    event('content_block_stop', { index }),
  ];
  const before = 'tool' in answer ? answer.before : undefined;
  const said = before === undefined ? [] : whole(0, { type: 'text', text: '' }, textDeltas(before));
  return [
    event('message_start', { message }),
    ...said,
    ...whole(said.length === 0 ? 0 : 1, block, deltas),
    event('message_delta', {
      delta: { stop_reason: 'tool' in answer ? 'tool_use' : 'end_turn', stop_sequence: null },
      usage: { output_tokens: 5 },
    }),
    event('message_stop', {}),
  ];
}

function openai(answer: Exclude<Answer, { status: number }>): string[] {
  const chunk = (delta: object, finish_reason: string | null = null, more: object = {}): string => {
    const choices = [{ index: 0, delta, finish_reason }];
    return `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...more })}\n\n`;
  };
  const id = `call_${Math.trunc(performance.now() * 1000)}`;
  const deltas =
    'tool' in answer
      ? pieces(input(answer)).map((part, n) => ({
          tool_calls: [
            {
              index: 0,
              ...(n === 0 ? { id, type: 'function' } : {}),
              function: { ...(n === 0 ? { name: answer.tool } : {}), arguments: part },
            },
          ],
        }))
      : pieces('text' in answer ? answer.text : 'cut').map((content) => ({ content }));
  return [
    chunk({ role: 'assistant' }),
    ...('tool' in answer ? pieces(answer.before ?? '') : []).filter(Boolean).map((content) => chunk({ content })),
    ...deltas.map((delta) => chunk(delta)),
    chunk({}, 'tool' in answer ? 'tool_calls' : 'stop', {
      usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
    }),
    'data: [DONE]\n\n',
  ];
}
