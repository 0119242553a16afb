/** `channels add telegram` and `channels pair`: a token that is shown nowhere, and a code that is shown once. */
import type { PairedView, PairingView, TelegramInput } from '../../host/api/channel-contract.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { ask } from '../question.ts';
import { withHost } from '../reach.ts';
import { ensureHost } from '../start-host.ts';
import { neverOnTheLine, readValue } from './secrets.ts';

export type AddTelegramOptions = {
  agent: string;
  name: string;
  webhook?: string;
  baseUrl?: string;
  dropWebhook: boolean;
  wait: boolean;
};
export type PairOptions = { agent: string; wait: boolean };

const WAIT_MS = 30_000;

/** `more` counts what stood behind the options: most likely a token. */
export async function addTelegram(context: Context, options: AddTelegramOptions, more: number): Promise<void> {
  if (more > 0) throw neverOnTheLine('./halfdoor channels add telegram --agent NAME');
  const { agent, name, webhook, baseUrl, dropWebhook, wait } = options;
  const token = await readValue('Token of the bot, from @BotFather');
  await ensureHost(context);
  const input: TelegramInput = { name, agent, token, webhook, baseUrl, dropWebhook };
  const add = (it: TelegramInput): Promise<PairingView> =>
    withHost(context, () => context.api.call<PairingView>('POST', '/v1/channels/telegram', it));
  const pairing = await add(input).catch(async (error: unknown) => {
    if (!(error instanceof Failure) || !error.next.includes('--drop-webhook')) throw error;
    if (!(await mayDrop(context, error.message))) throw error;
    return add({ ...input, dropWebhook: true });
  });
  await paired(context, pairing, wait);
}

async function mayDrop(context: Context, said: string): Promise<boolean> {
  if (context.yes) return true;
  const keyboard = { input: process.stdin, output: process.stderr };
  const answer = await ask(keyboard, `${said}. Take that webhook away, so that they come here? [y/N] `);
  return /^y(es)?$/i.test(answer?.trim() ?? '');
}

export async function pairChannel(context: Context, name: string, { agent, wait }: PairOptions): Promise<void> {
  const path = `/v1/channels/${pathStep(name)}/pairings`;
  const pairing = await withHost(context, () => context.api.call<PairingView>('POST', path, { agent }));
  await paired(context, pairing, wait);
}

/** Shows the code, and waits until somebody used it. */
async function paired(context: Context, pairing: PairingView, wait: boolean): Promise<void> {
  const { channel, agent, bot, code, link, expiresAt } = pairing;
  const how = [
    `@${bot} is connected as ${channel}. Whoever sends it this code becomes an owner who talks to ${agent}:`,
    `  ${code}`,
    `or opens this on a phone or computer with Telegram: ${link}`,
    `It holds once, until ${expiresAt}.`,
  ].join('\n');
  if (!wait) return context.printer.answer(pairing, how);
  context.printer.note(how);
  const path = `/v1/channels/${pathStep(channel)}/pairings/${pairing.id}?wait=${WAIT_MS}`;
  for (;;) {
    const view = await withHost(context, () => context.api.call<PairedView>('GET', path));
    if (view.state === 'used') {
      return context.printer.answer(
        { channel, agent, bot, ...view },
        `paired with ${view.name ?? view.by ?? 'somebody'}`,
      );
    }
    if (view.state === 'expired') {
      throw new Failure(
        'nobody used the code in time',
        `Make a new one: ./halfdoor channels pair ${channel} --agent ${agent}`,
      );
    }
  }
}
