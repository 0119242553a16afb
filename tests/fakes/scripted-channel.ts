/** A platform of ours that can do everything a channel may do, and meets a send with whatever it is told to. */
import type { Address } from '@halfdoor/protocol/message';
import type { Capabilities, Channel, ChannelStatus, Failed, Outgoing, Sent } from '../../host/channels/channel.ts';
import type { ChannelHost, Incoming } from '../../host/channels/channel-host.ts';

export type Fault = 'busy' | 'down' | 'refused' | 'dropped';
export type OnBoard = { platformId: string; address: Address; text: string; files: string[]; buttons: string[] };

export const ALL: Capabilities = {
  idempotent: false,
  maxTextLength: 1_000,
  canEdit: true,
  canDelete: true,
  canReact: true,
  canType: true,
  canOpenDM: true,
  hasFiles: true,
  hasButtons: true,
  threads: true,
};

const MARK = '(this may be a second copy) ';

export class ScriptedChannel implements Channel {
  readonly name = 'scripted';
  readonly capabilities: Capabilities;
  readonly typingMs = 5_000;
  readonly #host: ChannelHost;
  /** What stands in its chats, oldest first. */
  board: OnBoard[] = [];
  /** Every call in order: `send`, `edit`, `delete`, `type`, `react`, with what was asked. */
  readonly calls: [what: string, ...of: unknown[]][] = [];
  /** What the next sends meet, first one first. */
  faults: Fault[] = [];
  retryAfterMs: number | null = null;
  #lastError: ChannelStatus['lastError'] = null;
  #isDown = false;
  readonly #known = new Map<string, string>();
  readonly #upstream: { incoming: Incoming; acknowledged(): void }[] = [];
  #next = 1;
  #taking = false;
  #failures = 0;
  onCall: () => void = () => {};

  constructor(host: ChannelHost, more: Partial<Capabilities> = {}) {
    this.#host = host;
    this.capabilities = { ...ALL, ...more };
  }

  ready(): boolean {
    return true;
  }

  send(it: Outgoing): Promise<Sent> {
    this.#called('send', it.address, it.text);
    const fault = this.faults.shift();
    if (fault !== undefined && fault !== 'dropped') return Promise.resolve(this.#failed(fault));
    const before = this.capabilities.idempotent ? this.#known.get(it.delivery) : undefined;
    const platformId = before ?? `m${this.#next++}`;
    if (before === undefined) this.#put(it, platformId);
    return Promise.resolve(fault ? this.#failed(fault) : { status: 'sent', platformId });
  }

  #put({ delivery, address, text, mayBeDuplicate, files, buttons }: Outgoing, platformId: string): void {
    this.#known.set(delivery, platformId);
    this.board.push({
      platformId,
      address,
      text: mayBeDuplicate ? MARK + text : text,
      files: files.map((it) => it.name),
      buttons: buttons.map((it) => it.id),
    });
  }

  #failed(fault: Fault): Failed {
    const reason = `the platform is ${fault}`;
    const at = this.#host.now().toISOString();
    this.#lastError = { at, text: reason, next: 'Wait, it is tried again.' };
    const retryAfterMs = fault === 'busy' ? this.retryAfterMs : null;
    return { status: 'failed', transient: fault !== 'refused', reason, maybeSeen: fault === 'dropped', retryAfterMs };
  }

  edit(address: Address, platformId: string, text: string): Promise<Sent> {
    this.#called('edit', address, platformId, text);
    const fault = this.faults.shift();
    if (fault !== undefined) return Promise.resolve(this.#failed(fault));
    const found = this.board.find((it) => it.platformId === platformId);
    if (!found) return Promise.resolve(this.#failed('refused'));
    found.text = text;
    return Promise.resolve({ status: 'sent', platformId });
  }

  delete(address: Address, platformId: string): Promise<Sent> {
    this.#called('delete', address, platformId);
    const fault = this.faults.shift();
    if (fault !== undefined) return Promise.resolve(this.#failed(fault));
    this.board = this.board.filter((it) => it.platformId !== platformId);
    return Promise.resolve({ status: 'sent', platformId });
  }

  react(address: Address, platformId: string, emoji: string | null): Promise<Sent> {
    this.#called('react', address, platformId, emoji);
    return Promise.resolve({ status: 'sent', platformId });
  }

  type(address: Address): Promise<void> {
    this.#called('type', address);
    return Promise.resolve();
  }

  openDM(user: string): Promise<{ status: 'open'; address: Address }> {
    return Promise.resolve({ status: 'open', address: { channel: this.name, chat: user, thread: null } });
  }

  #called(what: string, ...of: unknown[]): void {
    this.calls.push([what, ...of]);
    this.onCall();
  }

  status(): ChannelStatus {
    const since = '2026-01-01T00:00:00.000Z';
    return { state: this.#isDown ? 'waiting' : 'connected', since, lastError: this.#lastError };
  }

  /** Nothing can be taken in until it is up again. */
  down(): void {
    this.#isDown = true;
    this.#failed('down');
  }

  up(): void {
    this.#isDown = false;
    void this.#take();
  }

  /** Somebody says something there. Resolves when the channel has acknowledged it. */
  say(incoming: Incoming): Promise<void> {
    return new Promise((acknowledged) => {
      this.#upstream.push({ incoming, acknowledged });
      void this.#take();
    });
  }

  start(): void {
    this.#taking = true;
    void this.#take();
  }

  /** One at a time, in order; what is not taken stays first and is offered again. */
  async #take(): Promise<void> {
    const first = this.#upstream[0];
    if (!this.#taking || this.#isDown || first === undefined) return;
    this.#taking = false;
    const taken = await this.#host.accept(first.incoming);
    this.#taking = true;
    if (taken.status === 'not-now') {
      this.#host.after(100 * 2 ** this.#failures++, () => void this.#take());
      return;
    }
    this.#failures = 0;
    this.#upstream.shift();
    first.acknowledged();
    await this.#take();
  }

  stop(): Promise<void> {
    this.#taking = false;
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.stop();
  }
}
