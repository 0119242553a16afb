import type { HttpChatInput, HttpChatMade } from '../../host/api/channel-contract.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { ask } from '../question.ts';
import { withHost } from '../reach.ts';
import { ensureHost } from '../start-host.ts';

/** As commander reads them; `callback` false for --no-callback. */
export type AddHttpOptions = {
  chat?: string;
  agent?: string;
  callback?: string | boolean;
  rotate: boolean;
  port?: string;
  bind?: string;
  hostName?: string[];
};

/** Starts a host if none runs. */
export async function addHttp(context: Context, options: AddHttpOptions): Promise<void> {
  const input = inputOf(options);
  if (Object.keys(input).length === 0) {
    const next = 'Name a chat and who listens there: ./halfdoor channels add http --chat NAME --agent AGENT';
    throw new Failure('nothing is said of what to add', next, 2);
  }
  if (input.bind !== undefined && !isLoopback(input.bind)) await mayOpen(context, input.bind);
  await ensureHost(context);
  const made = await withHost(context, () => context.api.call<HttpChatMade>('POST', '/v1/channels/http', input));
  context.printer.answer(made, described(made));
  if (made.fault) context.printer.note(`Nobody can ask there now: ${made.fault.text}. ${made.fault.next}`);
}

function inputOf({ chat, agent, callback, rotate, port, bind, hostName }: AddHttpOptions): HttpChatInput {
  return {
    ...(chat !== undefined && { chat }),
    ...(agent !== undefined && { agent }),
    ...(typeof callback === 'string' && { callback }),
    ...(callback === false && { callback: null }),
    ...(rotate && { rotate }),
    ...(port !== undefined && { port: Number(port) }),
    ...(bind !== undefined && { bind }),
    ...(hostName !== undefined && { hostNames: hostName }),
  };
}

const isLoopback = (bind: string): boolean => bind === '::1' || bind.startsWith('127.');

async function mayOpen(context: Context, bind: string): Promise<void> {
  context.printer.note(
    `At ${bind} other machines can connect. What they send and read goes over the network in the clear, tokens too:\n` +
      'that is for a network you trust, or behind a proxy that speaks TLS.',
  );
  if (context.yes) return;
  const said = await ask({ input: process.stdin, output: process.stderr }, 'Open it to them? [y/N] ');
  if (said !== null && /^y(es)?$/i.test(said.trim())) return;
  throw new Failure('it stays closed; nothing was changed', `Say yes, or give --yes: --bind ${bind} --yes`, 1);
}

function described({ url, chat }: HttpChatMade): string {
  if (chat === null) return `the http channel listens at ${url}`;
  const at = `${url}/v1/chats/${pathStep(chat.name)}`;
  return [
    chat.agent === null ? `chat ${chat.name} has a new token` : `agent ${chat.agent} listens in chat ${chat.name}`,
    `  send to  ${at}/messages`,
    `  replies  ${chat.callback ?? `${at}/events`}`,
    `  token    ${chat.token}`,
    ...(chat.signing === null ? [] : [`  signing  ${chat.signing}`]),
    ...(chat.destination === null ? [] : [`  the agent names it ${chat.destination}`]),
    'Keep what is secret here: it is not shown again. How it is used: docs/http.md',
  ].join('\n');
}

export async function removeHttpChat(context: Context, chat: string): Promise<void> {
  const path = `/v1/channels/http/chats/${pathStep(chat)}`;
  const removed = await withHost(context, () => context.api.call<{ removed: string }>('DELETE', path));
  context.printer.answer(removed, `chat ${chat} is gone for its program: its token opens nothing any more`);
}
