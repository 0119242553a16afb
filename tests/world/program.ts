/** A program that talks to a world through its http channel, as docs/http.md says. */
import assert from 'node:assert/strict';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { HttpChatInput, HttpChatMade } from '../../host/api/channel-contract.ts';
import type { ErrorAnswer, MessageAnswer, Said, TakenAnswer } from '../../host/channels/http/types.ts';
import type { World } from './host.ts';

export type HttpAnswer<T> = { status: number; headers: IncomingHttpHeaders; body: T };
type Body = string | Buffer | object | undefined;

/** A port that nothing listens at right now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export async function addHttp(world: Pick<World, 'call'>, input: HttpChatInput): Promise<HttpChatMade> {
  const { status, body } = await world.call<HttpChatMade>('POST', '/v1/channels/http', input);
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

/** A chat of an agent, and the program it was given to. */
export async function addProgram(
  world: Pick<World, 'call'>,
  input: HttpChatInput & { chat: string },
): Promise<Program> {
  const made = await addHttp(world, input);
  assert.ok(made.chat);
  return new Program(made.url, made.chat.name, made.chat.token, made.chat.signing);
}

export class Program {
  readonly base: string;
  readonly chat: string;
  token: string;
  readonly signing: string;

  constructor(base: string, chat: string, token: string, signing: string | null) {
    this.base = base;
    this.chat = chat;
    this.token = token;
    this.signing = signing ?? '';
  }

  ask<T>(method: string, path: string, headers: Record<string, string>, body?: Body): Promise<HttpAnswer<T>> {
    return askHttp(`${this.base}${path}`, method, { authorization: `Bearer ${this.token}`, ...headers }, body);
  }

  post(key: string, body: Body, headers: Record<string, string> = {}): Promise<HttpAnswer<TakenAnswer & ErrorAnswer>> {
    const all = { 'idempotency-key': key, 'content-type': 'application/json', ...headers };
    return this.ask('POST', `/v1/chats/${this.chat}/messages`, all, body);
  }

  /** Returns the message's id. */
  async say(text: string, key: string = crypto.randomUUID()): Promise<string> {
    const { status, body } = await this.post(key, { sender: 'ada', text });
    assert.equal(status, 202, JSON.stringify(body));
    return body.id;
  }

  message(id: string, waitMs = 0): Promise<HttpAnswer<MessageAnswer & ErrorAnswer>> {
    return this.ask('GET', `/v1/chats/${this.chat}/messages/${id}?wait=${waitMs}`, {});
  }

  /** Waits until it is settled. */
  async settled(id: string): Promise<MessageAnswer> {
    for (;;) {
      const { status, body } = await this.message(id, 30_000);
      assert.equal(status, 200, JSON.stringify(body));
      if (body.status !== 'accepted') return body;
    }
  }

  events(after: number | null = null): Events {
    return new Events(this, after);
  }
}

export function askHttp<T>(
  url: string,
  method: string,
  headers: Record<string, string>,
  body?: Body,
): Promise<HttpAnswer<T>> {
  const payload = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('error', reject);
      answer.on('end', () => {
        const { statusCode: status = 0 } = answer;
        resolve({ status, headers: answer.headers, body: JSON.parse(text) as T });
      });
    });
    asked.on('error', reject);
    asked.end(payload);
  });
}

/** The open stream of events of a chat, until it is closed or cut off. */
export class Events {
  readonly said: Said[] = [];
  readonly states: string[] = [];
  readonly opened: Promise<IncomingMessage>;
  over = false;
  readonly #request: ReturnType<typeof request>;
  #wake: () => void = () => {};
  #text = '';

  constructor({ base, chat, token }: Program, after: number | null) {
    const headers = { authorization: `Bearer ${token}`, ...(after !== null && { 'last-event-id': String(after) }) };
    const asked = request(`${base}/v1/chats/${chat}/events`, { headers, agent: false });
    this.#request = asked;
    this.opened = new Promise((resolve, reject) => {
      asked.on('response', resolve);
      asked.on('error', reject);
    });
    this.opened.then(
      (answer) => this.#read(answer),
      () => this.#end(),
    );
    asked.end();
  }

  #read(answer: IncomingMessage): void {
    answer.setEncoding('utf8').on('data', (chunk: string) => {
      this.#text += chunk;
      const blocks = this.#text.split('\n\n');
      this.#text = blocks.pop() ?? '';
      for (const block of blocks) this.#take(block);
      this.#wake();
    });
    answer.on('error', () => undefined);
    answer.on('close', () => this.#end());
  }

  #take(block: string): void {
    const fields = new Map(
      block.split('\n').map((line) => [line.split(': ')[0] ?? '', line.split(': ').slice(1).join(': ')]),
    );
    const data = fields.get('data');
    if (data === undefined) return;
    if (fields.get('event') === 'progress') this.states.push((JSON.parse(data) as { state: string }).state);
    else {
      const it = JSON.parse(data) as Said;
      assert.equal(fields.get('id'), String(it.position));
      this.said.push(it);
    }
  }

  #end(): void {
    this.over = true;
    this.#wake();
  }

  get texts(): string[] {
    return this.said.map((it) => it.text);
  }

  /** Resolves once `holds`, now or when something came. */
  async until(holds: (events: this) => boolean): Promise<void> {
    for (;;) {
      const changed = new Promise<void>((resolve) => (this.#wake = resolve));
      if (holds(this)) return;
      await changed;
    }
  }

  close(): void {
    this.#request.destroy();
  }
}
