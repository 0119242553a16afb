/** A whole Halfdoor of its own: a real host process on a fresh home, spoken to over its socket as the CLI does. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { TestContext } from 'node:test';
import type {
  AgentInput,
  AgentView,
  ChatEvent,
  MessageView,
  SessionView,
  StatusView,
} from '../../host/api/contract.ts';
import { HOST_NODE_FLAGS } from '../../host/home.ts';
import { bunPath, distPath, ROOT } from './programs.ts';

export type Answer<T> = { status: number; body: T };

export class World {
  readonly folder: string;
  readonly home: string;
  readonly env: Record<string, string>;
  readonly #program: string;
  /** argv in front of the host's own. */
  before: readonly string[] = [];
  #child: ChildProcess | null = null;
  #onLog: () => void = () => {};
  log = '';

  /** `program` takes the place of host/main.ts. */
  constructor(env: Record<string, string>, program = join(ROOT, 'host', 'main.ts')) {
    this.#program = program;
    assert.notEqual(process.getuid?.(), 0, 'these tests run as an ordinary user: the host never runs as root');
    this.folder = mkdtempSync(join(tmpdir(), 'hd-'));
    this.home = join(this.folder, 'home');
    mkdirSync(this.home, { mode: 0o700 }); // as the CLI does: Node would make it for its cache, open to all
    const { PATH = '/usr/bin:/bin' } = process.env;
    this.env = {
      PATH,
      HOME: this.folder,
      HALFDOOR_HOME: this.home,
      NODE_COMPILE_CACHE: join(this.home, 'cache', 'node'),
      HALFDOOR_BUN: bunPath(),
      HALFDOOR_DIST: distPath(),
      ...env,
    };
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves when the host listens; throws what it said when it ended instead. */
  async start(): Promise<void> {
    // A careless parent: one descriptor more than anybody should inherit.
    const planted = openSync('/etc/passwd', 'r');
    const argv = [...this.before, process.execPath, ...HOST_NODE_FLAGS, this.#program];
    const child = spawn(argv[0] ?? '', argv.slice(1), {
      env: this.env,
      stdio: ['pipe', 'pipe', 'pipe', planted],
    });
    closeSync(planted);
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => this.#said(chunk));
    await new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout ?? process.stdin }).on('line', (line) => {
        this.#said(`${line}\n`);
        if (line === 'ready') resolve();
      });
      child.once('close', (code) => reject(new Error(`the host ended with ${code}: ${this.log.slice(-2000)}`)));
    });
  }

  #said(text: string): void {
    this.log += text;
    this.#onLog();
  }

  /** Resolves once the host's log holds `text`. */
  async logged(text: string): Promise<void> {
    while (!this.log.includes(text)) await new Promise<void>((resolve) => (this.#onLog = resolve));
  }

  /** A line for tests/fakes/steered-clock.ts; resolves once it is done. */
  async steer(line: string): Promise<void> {
    const before = this.log.split('steered\n').length;
    this.#child?.stdin?.write(`${line}\n`);
    while (this.log.split('steered\n').length <= before) await new Promise<void>((resolve) => (this.#onLog = resolve));
  }

  /** Ends the host with a signal and waits for its end. Returns the exit code. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    child.kill(signal);
    return ended;
  }

  async restart(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    await this.end(signal);
    await this.start();
  }

  get socketPath(): string {
    return join(readFileSync(join(this.home, 'run'), 'utf8').trim(), 'api.sock');
  }

  call<T>(method: string, path: string, body?: unknown): Promise<Answer<T>> {
    const payload = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
    return new Promise((resolve, reject) => {
      const headers =
        payload === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
      // A kept connection may be one that the host has closed while a test was busy for seconds.
      const where = { socketPath: this.socketPath, method, path, headers, agent: false };
      const asked = request(where, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('error', reject);
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: JSON.parse(text) as T }));
      });
      asked.on('error', reject);
      asked.end(payload);
    });
  }

  async createAgent(input: Partial<AgentInput> & { name: string }): Promise<AgentView> {
    const answer = await this.call<AgentView>('POST', '/v1/agents', { provider: 'mock', sandbox: 'process', ...input });
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    return answer.body;
  }

  /** Returns the message's id. */
  async send(agent: string, text: string, id?: string): Promise<string> {
    const answer = await this.call<MessageView>('POST', `/v1/agents/${agent}/messages`, { text, id });
    assert.equal(answer.status, 202, JSON.stringify(answer.body));
    return answer.body.id;
  }

  /** Waits until the message is settled. */
  async settled(id: string, waitMs = 120_000): Promise<MessageView> {
    const { body } = await this.call<MessageView>('GET', `/v1/messages/${id}?wait=${waitMs}`);
    assert.notEqual(body.status, 'accepted', `not settled in ${waitMs} ms; the host said: ${this.log.slice(-2000)}`);
    return body;
  }

  async ask(agent: string, text: string): Promise<MessageView> {
    return this.settled(await this.send(agent, text));
  }

  async reply(agent: string, text: string): Promise<string> {
    const view = await this.ask(agent, text);
    assert.equal(view.status, 'answered', JSON.stringify(view));
    return view.replies.map((it) => it.text).join('\n');
  }

  async sessions(): Promise<SessionView[]> {
    return (await this.call<SessionView[]>('GET', '/v1/sessions')).body;
  }

  async session(agent: string): Promise<SessionView> {
    const found = (await this.sessions()).find((it) => it.agent === agent && it.endedAt === null);
    assert.ok(found, `no session of ${agent}`);
    return found;
  }

  async status(): Promise<StatusView> {
    return (await this.call<StatusView>('GET', '/v1/status')).body;
  }

  chat(agent: string): Chat {
    return new Chat(this, agent);
  }

  async close(): Promise<void> {
    await this.end('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A connected terminal. Confirms what it shows unless told otherwise. */
export class Chat {
  readonly events: ChatEvent[] = [];
  /** When each came, in milliseconds since 1970. */
  readonly times: number[] = [];
  confirms = true;
  readonly #world: World;
  readonly #request: ReturnType<typeof request>;
  #wake: () => void = () => {};

  constructor(world: World, agent: string) {
    this.#world = world;
    this.#request = request({ socketPath: world.socketPath, path: `/v1/agents/${agent}/chat` }, (answer) => {
      answer.on('error', () => undefined);
      // readline emits the socket's errors again as its own.
      const lines = createInterface({ input: answer }).on('error', () => undefined);
      lines.on('line', (line) => this.#take(JSON.parse(line) as ChatEvent));
    });
    this.#request.on('error', () => undefined);
    this.#request.end();
  }

  #take(event: ChatEvent): void {
    this.events.push(event);
    this.times.push(Date.now());
    if (event.type === 'message' && this.confirms) {
      void this.#world.call('POST', '/v1/deliveries/received', { ids: [event.delivery] }).catch(() => undefined);
    }
    this.#wake();
  }

  /** Resolves with the first value that `pick` finds, now or when it comes. */
  async until<T>(pick: (events: ChatEvent[]) => T | undefined): Promise<T> {
    for (;;) {
      const changed = new Promise<void>((resolve) => (this.#wake = resolve));
      const found = pick(this.events);
      if (found !== undefined) return found;
      await changed;
    }
  }

  get texts(): string[] {
    return this.events.flatMap((it) => (it.type === 'message' ? [it.text] : []));
  }

  close(): void {
    this.#request.destroy();
  }
}

/** A running world that ends with the test. */
export const openWorld = (t: TestContext, env: Record<string, string> = {}): Promise<World> =>
  opened(t, new World(env));

/** The same on a clock that the test steers. */
export const openSteered = (t: TestContext, env: Record<string, string> = {}): Promise<World> =>
  opened(t, new World(env, join(ROOT, 'tests', 'fakes', 'steered-host-main.ts')));

async function opened(t: TestContext, world: World): Promise<World> {
  t.after(() => world.close());
  await world.start();
  return world;
}
