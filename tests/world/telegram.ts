/** A host that is connected to a Telegram of its own, and Ann, who writes there. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import type { PairedView, PairingView, TelegramInput } from '../../host/api/channel-contract.ts';
import { openTelegram, TelegramFake, TOKEN } from '../fakes/telegram.ts';
import { World } from './host.ts';

export const ANN = { id: 17, name: 'Ann' };

export class TelegramWorld extends World {
  readonly telegram: TelegramFake;

  constructor(telegram: TelegramFake) {
    super({});
    this.telegram = telegram;
  }

  async add(more: Partial<TelegramInput> = {}): Promise<PairingView> {
    const input = { agent: 'a', token: TOKEN, baseUrl: this.telegram.baseUrl, ...more };
    const { status, body } = await this.call<PairingView>('POST', '/v1/channels/telegram', input);
    assert.equal(status, 201, JSON.stringify(body));
    return body;
  }

  async pairing(agent = 'a'): Promise<PairingView> {
    const { status, body } = await this.call<PairingView>('POST', '/v1/channels/telegram/pairings', { agent });
    assert.equal(status, 201, JSON.stringify(body));
    return body;
  }

  async paired({ id }: PairingView): Promise<PairedView> {
    return (await this.call<PairedView>('GET', `/v1/channels/telegram/pairings/${id}?wait=60000`)).body;
  }

  /** Resolves once nothing waits to be delivered: what has arrived is known to have. */
  async delivered(): Promise<void> {
    while ((await this.status()).open.deliveries > 0);
  }

  /** Resolves with what Telegram has been asked to show in Ann's chat, once it is that many texts. */
  texts(n: number): Promise<string[]> {
    const texts = (): string[] => this.telegram.textsTo(ANN.id);
    return this.telegram.until(() => texts().length >= n && texts());
  }
}

export async function pairedWorld(t: TestContext, { paired = true }: { paired?: boolean } = {}) {
  const telegram = await openTelegram(t);
  const world = new TelegramWorld(telegram);
  t.after(() => world.close());
  await world.start();
  await world.createAgent({ name: 'a' });
  const pairing = await world.add();
  if (paired) {
    telegram.write(ANN, pairing.code);
    assert.equal((await world.paired(pairing)).state, 'used');
    await world.texts(1);
    await world.delivered();
    // A reply that is shown while it is written would stand among what was said.
    const wiring = { agent: 'a', channel: 'telegram', chat: String(ANN.id), progress: 'typing' };
    assert.equal((await world.call('PATCH', '/v1/wirings', wiring)).status, 200);
    telegram.said.length = 0;
  }
  return { world, telegram, ann: ANN, pairing };
}
