/** One client of a chat's events, and how far it has read (WHATWG HTML, "Server-sent events"). */
import type { ServerResponse } from 'node:http';
import type { ChannelHost } from '../channel-host.ts';
import type { ProgressState, Said } from './types.ts';

const PING_MS = 15_000;
/** How soon a client comes back on its own. */
const RECONNECT_MS = 1_000;
/** Past this much unread the client is cut off; it comes back with its cursor. */
const UNREAD_BYTES = 1024 * 1024;
/** Past this much unread it is not told of progress. */
const BEHIND_BYTES = 64 * 1024;

export class Client {
  /** Everything up to this position was written to it; null until something was, for one that came without. */
  cursor: number | null;
  /** It is sent things as they come: its history is behind it. */
  isLive = false;
  /** Something came while it was reading history. */
  isBehind = false;
  gone = false;
  readonly #outgoing: ServerResponse;
  readonly #host: Pick<ChannelHost, 'after'>;
  /** Who waits for something written to be taken. */
  readonly #waiting = new Set<(taken: boolean) => void>();
  #ping: { cancel(): void };
  #told: ProgressState | null = null;

  constructor(outgoing: ServerResponse, host: Pick<ChannelHost, 'after'>, cursor: number | null) {
    this.#outgoing = outgoing;
    this.#host = host;
    this.cursor = cursor;
    outgoing.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    outgoing.on('close', () => this.#over());
    outgoing.on('error', () => {});
    void this.#write(`retry: ${RECONNECT_MS}\n\n`);
    this.#ping = this.#pingLater();
  }

  #pingLater(): { cancel(): void } {
    return this.#host.after(PING_MS, () => {
      void this.#write(': ping\n\n');
      this.#ping = this.#pingLater();
    });
  }

  #over(): void {
    this.gone = true;
    this.#ping.cancel();
    for (const settle of this.#waiting) settle(false);
  }

  /** True once the socket has taken it, or when it was written before; false when the client is gone. */
  show(it: Said): Promise<boolean> {
    if (this.cursor !== null && it.position <= this.cursor) return Promise.resolve(true);
    this.cursor = it.position;
    return this.#write(`id: ${it.position}\nevent: message\ndata: ${JSON.stringify(it)}\n\n`);
  }

  /** Lossy: what counts is the message that follows. */
  progress(state: ProgressState, since: string): void {
    if (state === this.#told || this.#outgoing.writableLength > BEHIND_BYTES) return;
    this.#told = state;
    void this.#write(`event: progress\ndata: ${JSON.stringify({ state, since })}\n\n`);
  }

  #write(text: string): Promise<boolean> {
    const outgoing = this.#outgoing;
    if (this.gone || outgoing.destroyed || outgoing.writableEnded) return Promise.resolve(false);
    return new Promise((resolve) => {
      const settle = (taken: boolean): void => {
        this.#waiting.delete(settle);
        resolve(taken);
      };
      this.#waiting.add(settle);
      outgoing.write(text, (error) => settle(!error));
      // Node holds a chunk back until nothing else is to be done in this turn of the loop; somebody waits for this one.
      outgoing.socket?.uncork();
      if (outgoing.writableLength > UNREAD_BYTES) this.cut();
    });
  }

  cut(): void {
    this.#outgoing.destroy();
  }

  end(): void {
    this.#outgoing.end();
  }
}
