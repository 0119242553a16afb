/** Sends as platforms do: the same id again until it is accepted, a few messages in flight in each chat. */
import type { Random } from '../../tests/crash/sim/random.ts';
import type { World } from '../../tests/world/host.ts';
import { pause } from '../measure.ts';
import { pick } from './plan.ts';
import { mark, type Tally } from './tally.ts';

const IN_FLIGHT = 5;
const AGAIN_MS = 20;
const GONE = /ECONN|EPIPE|ENOENT|socket hang up|aborted|Unexpected end of JSON/;

/** What an agent is told to do for one message: answer at once, think, think aloud, say it in mid-turn, use its shell. */
const KINDS: readonly ((said: string) => string)[] = [
  (said) => `@reply ${said}`,
  (said) => `@sleep 20\n@reply ${said}`,
  (said) => `@slow 100 ${said} and some more words to write`,
  (said) => `@tool send_message {"to":"terminal","text":"${said}"}\n@sleep 10`,
  (said) => `@shell echo working\n@reply ${said}`,
];

export class Sender {
  readonly #world: World;
  readonly #tally: Tally;
  readonly #random: Random;
  readonly #mayGo: (sent: number) => boolean;
  #sent = 0;
  #ended = false;

  /** `mayGo`: whether another one may be sent after so many. */
  constructor(world: World, tally: Tally, random: Random, mayGo: (sent: number) => boolean) {
    this.#world = world;
    this.#tally = tally;
    this.#random = random;
    this.#mayGo = mayGo;
  }

  /** Sends into all of these chats until `end` was called. */
  async run(chats: readonly string[]): Promise<void> {
    await Promise.all(chats.map((chat) => this.#runOne(chat)));
  }

  async #runOne(chat: string): Promise<void> {
    while (!this.#ended) {
      if (!this.#mayGo(this.#sent) || this.#tally.open(chat).length >= IN_FLIGHT) {
        await pause(2);
        continue;
      }
      const n = ++this.#sent;
      const text = pick(KINDS, this.#random)(mark(n));
      this.#tally.accepted(n, { id: await this.#untilAccepted(chat, text, `m${n}`), chat });
    }
  }

  async #untilAccepted(chat: string, text: string, id: string): Promise<string> {
    for (;;) {
      try {
        return await this.#world.send(chat, text, id);
      } catch (error) {
        if (!GONE.test(String(error))) throw error;
        await pause(AGAIN_MS);
      }
    }
  }

  get sent(): number {
    return this.#sent;
  }

  end(): void {
    this.#ended = true;
  }
}
