/** A platform outside, and its adapter: what arrived there stays there, whatever becomes of the host. */
import { existsSync, readFileSync } from 'node:fs';
import type { Capabilities, Channel, Failed, Outgoing, Sent } from '../../../host/channels/channel.ts';
import { never, type Life } from './life.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

export type Weather = { failedSends: number; deadSends: number; slowSends: number };
type Deps = { scheduler: Scheduler; random: Random; outside: Life; weather(): Weather; violate(what: string): void };

const FAST_MS = 10;
const SLOW_MS = 20_000;

const failed = (transient: boolean, reason: string): Failed => ({
  ...{ status: 'failed', transient, reason },
  ...{ maybeSeen: false, retryAfterMs: null },
});

const PLAIN: Capabilities = {
  idempotent: false,
  maxTextLength: 200,
  canEdit: false,
  canDelete: false,
  canReact: false,
  canType: false,
  canOpenDM: false,
  hasFiles: true,
  hasButtons: false,
  threads: false,
};

/** The delivery that this is a part of. */
export const wholeOf = (it: { delivery: string }): string => it.delivery.split('#')[0] ?? '';

/** What a text ends with that is said with a file, which holds the same. */
export const WITH_FILE = '-file';

/** What is wrong with the files of what is shown, if anything is. */
export function faultOfFiles({ text, files }: Pick<Outgoing, 'text' | 'files'>): string | null {
  if (files.length !== (text.endsWith(WITH_FILE) ? 1 : 0)) return `${text} came with ${files.length} files`;
  const held = files.map(({ path }) => (existsSync(path) ? readFileSync(path, 'utf8') : 'nothing'));
  return held.every((it) => it === text) ? null : `the file of ${text} holds ${held.join()}`;
}

/** What somebody has before their eyes. */
export type Shown = Pick<Outgoing, 'delivery' | 'text' | 'mayBeDuplicate' | 'notice' | 'answers'>;

export class Platform {
  readonly name: string;
  readonly idempotent: boolean;
  readonly shown: Shown[] = [];
  readonly #deps: Deps;
  readonly #known = new Set<string>();

  /** An `idempotent` one shows a delivery once, however often it is sent. */
  constructor(name: string, idempotent: boolean, deps: Deps) {
    this.name = name;
    this.idempotent = idempotent;
    this.#deps = deps;
  }

  /** The adapter in one host. What it has sent arrives even if the host is killed meanwhile. */
  adapter(life: Life): Channel {
    const { name } = this;
    return {
      name,
      capabilities: { ...PLAIN, idempotent: this.idempotent },
      ready: () => true,
      send: (it) => (life.ended ? never() : this.#send(life, it)),
      status: () => ({ state: 'connected', since: '', lastError: null }),
      start: () => {},
      stop: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  }

  #send(life: Life, it: Outgoing): Promise<Sent> {
    const { scheduler, random, outside, weather, violate } = this.#deps;
    const { failedSends, deadSends, slowSends } = weather();
    const wayMs = random.chance(slowSends) ? SLOW_MS : FAST_MS;
    const fault = faultOfFiles(it);
    if (fault !== null) violate(`${this.name}: ${fault}`);
    return new Promise((resolve) => {
      const answer = (sent: Sent): void =>
        void scheduler.later(life, `from ${this.name}`, wayMs, `${this.name} answers ${sent.status}`, () =>
          resolve(sent),
        );
      scheduler.later(outside, `to ${this.name}`, wayMs, `${this.name} is asked to show ${it.delivery}`, () => {
        if (random.chance(deadSends)) return answer(failed(false, 'no such room'));
        if (random.chance(failedSends)) return answer(this.#fails(it));
        this.#show(it);
        return answer({ status: 'sent', platformId: `${this.name}-${it.delivery}` });
      });
    });
  }

  /** Before anything of it was read, or after: then only its answer is lost. */
  #fails(it: Outgoing): Failed {
    const isRead = this.#deps.random.chance(0.3);
    if (isRead) this.#show(it);
    return { ...failed(true, isRead ? 'no answer came' : 'try later'), maybeSeen: isRead };
  }

  #show(it: Outgoing): void {
    if (this.idempotent && this.#known.has(it.delivery)) return;
    this.#known.add(it.delivery);
    this.shown.push(it);
  }
}
