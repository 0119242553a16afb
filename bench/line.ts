/**
 * The leanest client there can be: two kept connections and HTTP by hand. Node's own client takes a millisecond of a
 * message for itself, and what is measured here is the system.
 */
import { connect, type Socket } from 'node:net';
import type { ChatEvent } from '../host/api/contract.ts';
import type { World } from '../tests/world/host.ts';

export class Line {
  readonly #agent: string;
  readonly #out: Socket;
  readonly #in: Socket;
  #rest = '';
  #onMessage: (event: ChatEvent & { type: 'message' }, at: number) => void = () => {};

  constructor(world: World, agent: string) {
    this.#agent = agent;
    this.#out = connect(world.socketPath).resume();
    this.#in = connect(world.socketPath).setEncoding('utf8');
    this.#in.on('data', (chunk: string) => this.#take(chunk, performance.now()));
    this.#in.write(`GET /v1/agents/${agent}/chat HTTP/1.1\r\nhost: halfdoor\r\n\r\n`);
  }

  /** Of the chunked answer every line that is an object is an event. */
  #take(chunk: string, at: number): void {
    const lines = (this.#rest + chunk).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('{')) continue;
      const event = JSON.parse(line) as ChatEvent;
      if (event.type === 'message') this.#onMessage(event, at);
    }
  }

  #post(path: string, body: object): void {
    const text = JSON.stringify(body);
    const head = `host: halfdoor\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}`;
    this.#out.write(`POST ${path} HTTP/1.1\r\n${head}\r\n\r\n${text}`);
  }

  /** Milliseconds from handing the message over to the bytes of its reply; confirms it afterwards. */
  roundTrip(text: string): Promise<number> {
    return new Promise((resolve) => {
      const began = performance.now();
      this.#onMessage = (event, at) => {
        if (event.text !== text) return;
        resolve(at - began);
        this.#post('/v1/deliveries/received', { ids: [event.delivery] });
      };
      this.#post(`/v1/agents/${this.#agent}/messages`, { text: `@reply ${text}` });
    });
  }

  close(): void {
    this.#out.destroy();
    this.#in.destroy();
  }
}
