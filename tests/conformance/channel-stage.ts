/** A channel of any kind, its platform, and a host that takes in what a test says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Address } from '@halfdoor/protocol/message';
import type { Channel, Outgoing } from '../../host/channels/channel.ts';
import type { ChannelHost, Incoming, Taken } from '../../host/channels/channel-host.ts';

/** What a platform meets a send with; each happens once. */
export type Fault = 'busy' | 'down' | 'refused' | 'dropped';

export type Shown = { text: string; files: string[]; buttons: string[] };

/** What a kind of channel must bring to be tested. */
export type ChannelStage = {
  channel: Channel;
  /** A place where somebody is. */
  place: Address;
  /** Another one, of other people; null where the platform has only one. */
  other: Address | null;
  /** What people there have before their eyes, oldest first. */
  shown(place: Address): Shown[];
  /** The next send meets this. Left out: the channel has no platform that could. */
  fault?(fault: Fault, retryAfterMs: number | null): void;
  /** Somebody says something; resolves when the platform knows that it was taken. */
  say?(id: string, text: string): Promise<void>;
  /** Nobody is at `place` any more, and somebody is again. */
  leave?(): Promise<void>;
  come?(): Promise<void>;
  /** Taking in does not work, and does again. */
  cut?(): Promise<void>;
  mend?(): Promise<void>;
  close(): Promise<void>;
};

/** The host's side of one channel: what it took, and how it answers. */
export class ScriptedHost implements ChannelHost {
  readonly name: string;
  readonly spool = mkdtempSync(join(tmpdir(), 'hd-spool-'));
  readonly taken: Incoming[] = [];
  readonly places: Address[] = [];
  /** Answers to the next things that come in, first one first; then everything is taken. */
  answers: Taken[] = [];
  onChange: () => void = () => {};
  readonly log = { info: () => {}, warn: () => {}, error: () => {} };
  #ids = 0;

  constructor(name: string) {
    this.name = name;
  }

  accept(incoming: Incoming): Promise<Taken> {
    this.taken.push(incoming);
    const repeated = this.taken.filter((it) => it.platformId === incoming.platformId).length > 1;
    const answer: Taken = this.answers.shift() ?? { status: 'taken', eventId: `e-${incoming.platformId}`, repeated };
    this.onChange();
    return Promise.resolve(answer);
  }

  ready(address: Address): void {
    this.places.push(address);
    this.onChange();
  }

  now(): Date {
    return new Date();
  }

  after(ms: number, fn: () => void): { cancel(): void } {
    const timer = setTimeout(fn, ms);
    return { cancel: () => clearTimeout(timer) };
  }

  random(): number {
    return 0;
  }

  newId(): string {
    this.#ids += 1;
    return `id-${this.#ids}`;
  }

  async until<T>(pick: () => T | undefined | false): Promise<T> {
    for (;;) {
      const changed = new Promise<void>((resolve) => (this.onChange = resolve));
      const found = pick();
      if (found !== undefined && found !== false) return found;
      await changed;
    }
  }

  close(): void {
    rmSync(this.spool, { recursive: true, force: true });
  }
}

let deliveries = 0;

export const outgoing = (address: Address, text: string, more: Partial<Outgoing> = {}): Outgoing => ({
  delivery: `d-${++deliveries}`,
  position: deliveries,
  address,
  text,
  ...{ seq: 1, notice: false, mayBeDuplicate: false, answers: [], files: [], buttons: [] },
  ...more,
});

export type StageOf = (host: ScriptedHost, t: TestContext) => Promise<ChannelStage>;

export type Staged = (name: string, body: (stage: ChannelStage, host: ScriptedHost) => Promise<void>) => void;

export const stagedOn =
  (kind: string, stageOf: StageOf): Staged =>
  (name, body) =>
    void test(`${kind}: ${name}`, async (t) => {
      const host = new ScriptedHost(kind);
      const stage = await stageOf(host, t);
      try {
        await body(stage, host);
      } finally {
        await stage.close();
        host.close();
      }
    });
