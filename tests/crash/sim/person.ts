/** Somebody at a terminal: reads what is shown, confirms it a little later, and loses the connection now and then. */
import type { Outgoing } from '../../../host/channels/channel.ts';
import type { TerminalChannel } from '../../../host/channels/terminal.ts';
import type { Deliverer } from '../../../host/outbound/deliver.ts';
import type { Life } from './life.ts';
import { faultOfFiles, type Shown } from './platform.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';

type Deps = {
  scheduler: Scheduler;
  random: Random;
  outside: Life;
  dropPercent(): number;
  violate(what: string): void;
};
/** The host that somebody is connected to. */
export type At = { life: Life; terminal: TerminalChannel; deliverer: Deliverer };

const READ_MS = 10;
const BACK_MS = 500;

export class Person {
  readonly chat: string;
  readonly shown: Shown[] = [];
  readonly #deps: Deps;
  /** Wants to be connected. */
  #here = true;
  #host: At | null = null;
  #leave: (() => void) | null = null;

  constructor(chat: string, deps: Deps) {
    this.chat = chat;
    this.#deps = deps;
  }

  /** A host is up, or gone. */
  meet(host: At | null): void {
    this.#leave = null;
    this.#host = host;
    if (this.#here) this.#connect();
  }

  come(): void {
    this.#here = true;
    this.#connect();
  }

  leave(): void {
    this.#here = false;
    this.#disconnect();
  }

  #connect(): void {
    if (this.#leave || !this.#host) return;
    const { terminal } = this.#host;
    this.#leave = terminal.connect(this.chat, { show: (it) => this.#read(it) });
  }

  #disconnect(): void {
    this.#leave?.();
    this.#leave = null;
  }

  #read(it: Outgoing): void {
    const { scheduler, random, outside, dropPercent, violate } = this.#deps;
    const host = this.#host;
    this.shown.push(it);
    const fault = faultOfFiles(it);
    if (fault !== null) violate(`terminal of ${this.chat}: ${fault}`);
    const drops = random.chance(dropPercent());
    scheduler.later(outside, `person ${this.chat}`, READ_MS, `${this.chat} has read ${it.delivery}`, () => {
      if (!host || host.life.ended || host !== this.#host) return;
      if (!drops) return this.#confirm(host, it.delivery);
      this.#disconnect();
      scheduler.later(outside, `back ${this.chat}`, BACK_MS, `${this.chat} is back`, () => {
        if (this.#here) this.#connect();
      });
    });
  }

  /** As the API does. */
  #confirm({ life, terminal, deliverer }: At, delivery: string): void {
    this.#deps.scheduler.later(life, `confirm ${this.chat}`, READ_MS, `${this.chat} confirms ${delivery}`, () => {
      if (!terminal.received(delivery)) void deliverer.confirm([delivery]);
    });
  }
}
