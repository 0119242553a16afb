/** Sends as platforms do: the same key again until it is accepted, a few messages in flight in each chat. */
import type { Random } from '../../tests/crash/sim/random.ts';
import { pause } from '../measure.ts';
import type { Door } from './doors.ts';
import { pick } from './plan.ts';
import { mark, type Tally } from './tally.ts';

const IN_FLIGHT = 5;
const AGAIN_MS = 20;
/** What a client meets while the host is dead or dies. */
const GONE = /ECONN|EPIPE|ENOENT|socket hang up|aborted|Unexpected end of JSON/;

/** What an agent is told to do for one message: answer at once, think, write slowly, say it in mid-turn, use its shell. */
const KINDS: readonly ((said: string, to: string) => string)[] = [
  (said) => `@reply ${said}`,
  (said) => `@sleep 20\n@reply ${said}`,
  (said) => `@slow 100 ${said} and some more words to write`,
  (said, to) => `@tool send_message {"to":"${to}","text":"${said}"}\n@sleep 10`,
  (said) => `@shell echo working\n@reply ${said}`,
];

export class Sender {
  readonly #tally: Tally;
  readonly #random: Random;
  readonly #mayGo: (sent: number) => boolean;
  #sent = 0;
  #ended = false;

  /** `mayGo`: whether another one may be sent after so many. */
  constructor(tally: Tally, random: Random, mayGo: (sent: number) => boolean) {
    this.#tally = tally;
    this.#random = random;
    this.#mayGo = mayGo;
  }

  /** Sends into all of these chats until `end` was called. */
  async run(doors: readonly Door[]): Promise<void> {
    await Promise.all(doors.map((door) => this.#runOne(door)));
  }

  async #runOne(door: Door): Promise<void> {
    while (!this.#ended) {
      if (!this.#mayGo(this.#sent) || this.#tally.open(door.name).length >= IN_FLIGHT) {
        await pause(2);
        continue;
      }
      const n = ++this.#sent;
      const text = pick(KINDS, this.#random)(mark(n), door.to);
      this.#tally.accepted(n, { id: await untilAccepted(door, text, `m${n}`), chat: door.name });
    }
  }

  get sent(): number {
    return this.#sent;
  }

  end(): void {
    this.#ended = true;
  }
}

async function untilAccepted(door: Door, text: string, key: string): Promise<string> {
  for (;;) {
    try {
      const id = await door.send(text, key);
      if (id !== null) return id;
    } catch (error) {
      if (!GONE.test(String(error))) throw error;
    }
    await pause(AGAIN_MS);
  }
}
