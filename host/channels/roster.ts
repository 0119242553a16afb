/** The channels of this install, each made from its row: opened with the host, added and removed while it runs. */
import type { ChannelView } from '../api/channel-contract.ts';
import type { Central } from '../db/central.ts';
import type { Schema } from '../db/schema.ts';
import { errorText, type Log } from '../log.ts';
import { Refusal } from '../refusal.ts';
import type { Channel, ChannelStatus } from './channel.ts';
import type { ChannelHost } from './channel-host.ts';
import type { MakeChannel } from './index.ts';

export type RosterDeps = {
  central: Central;
  kinds: Readonly<Record<string, MakeChannel>>;
  /** What the channel of this name has of the host. */
  host(name: string): ChannelHost;
  /** A channel of this name was added: what waited for it may be sent. */
  opened(name: string): Promise<void>;
  now(): string;
  log: Log;
};
type Row = Pick<Schema['channels'], 'name' | 'kind' | 'settings'>;
/** `channel` null: it could not be made, and `status` says why. */
type Entry = { kind: Row['kind'] } & ({ channel: Channel } | { channel: null; status: ChannelStatus });

export class Roster {
  readonly #deps: RosterDeps;
  readonly #entries = new Map<string, Entry>();

  constructor(deps: RosterDeps) {
    this.#deps = deps;
  }

  /** Makes every channel, so that what waits can be sent; none takes anything in before `start`. Never throws for one. */
  async open(): Promise<void> {
    const rows = await this.#deps.central.read.selectFrom('channels').selectAll().orderBy('name').execute();
    for (const row of rows) await this.#open(row);
  }

  async #open(row: Row): Promise<void> {
    const { log, now } = this.#deps;
    try {
      this.#entries.set(row.name, { kind: row.kind, channel: await this.#make(row) });
    } catch (error) {
      log.error('a channel cannot be opened', { channel: row.name, error: errorText(error) });
      const at = now();
      const next = error instanceof Refusal ? error.next : `./halfdoor channels remove ${row.name}`;
      const status: ChannelStatus = { state: 'broken', since: at, lastError: { at, text: errorText(error), next } };
      this.#entries.set(row.name, { kind: row.kind, channel: null, status });
    }
  }

  #make({ name, kind, settings }: Row): Promise<Channel> {
    const make = this.#deps.kinds[kind];
    if (!make) throw new Refusal('bad-input', `there is no kind of channel ${kind} here`, 'Update Halfdoor.');
    return make(this.#deps.host(name), JSON.parse(settings));
  }

  start(): void {
    for (const { channel } of this.#entries.values()) channel?.start();
  }

  get(name: string): Channel | undefined {
    return this.#entries.get(name)?.channel ?? undefined;
  }

  /** One whose row was just committed, or changed: an earlier one of this name is closed first. */
  async add(row: Row): Promise<void> {
    await this.#entries.get(row.name)?.channel?.close();
    await this.#open(row);
    this.get(row.name)?.start();
    await this.#deps.opened(row.name);
  }

  /** One whose row is gone. */
  async remove(name: string): Promise<void> {
    const entry = this.#entries.get(name);
    this.#entries.delete(name);
    await entry?.channel?.close();
  }

  get size(): number {
    return this.#entries.size;
  }

  views(): ChannelView[] {
    return [...this.#entries].map(([name, entry]) => {
      const status = entry.channel === null ? entry.status : entry.channel.status();
      return { name, kind: entry.kind, ...status };
    });
  }

  /** Takes nothing more in; sending goes on. */
  async stop(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ channel }) => channel?.stop()));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(({ channel }) => channel?.close()));
  }
}
