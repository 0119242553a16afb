/**
 * A host of nothing but the API: the contract over a real Unix socket, with agents that do what the text says.
 * `@reply TEXT` answers, `@silent` settles without a word, `@hang` never settles, `@park` neither and says why, `@fail` fails; `/stop` settles what hangs.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  AgentInput,
  AgentView,
  ApiError,
  ChatEvent,
  CheckView,
  MessageView,
  SecretView,
  StatusView,
} from '../../host/api/contract.ts';

type Message = { agent: string; text: string; view: MessageView };

export class ApiHost {
  readonly home: string;
  readonly agents = new Map<string, AgentView>();
  readonly messages = new Map<string, Message>();
  readonly received: string[] = [];
  /** Said to `agent` by nobody's request; kept until it is received. */
  readonly waiting: { agent: string; delivery: string; text: string }[] = [];
  readonly uids = new Set<string>();
  readonly secrets = new Map<string, string>();
  readonly patches: object[] = [];
  /** What a call to the model of an agent comes to, by its name. */
  readonly checks = new Map<string, CheckView>();
  stopped = false;
  onStop: () => void = () => {};
  #chats = new Map<ServerResponse, string>();
  #watchers = new Set<() => void>();
  #server = createServer((request, answer) => void this.#serve(request, answer));
  readonly #runDir: string;
  readonly #pid: number;

  constructor(home: string, pid: number = process.pid) {
    this.home = home;
    this.#pid = pid;
    this.#runDir = mkdtempSync(join(tmpdir(), 'hd-run-'));
    this.addAgent({ name: 'a', provider: 'mock' });
  }

  async open(): Promise<this> {
    mkdirSync(this.home, { recursive: true });
    const path = join(this.#runDir, 'api.sock');
    rmSync(path, { force: true });
    await new Promise<void>((resolve) => this.#server.listen(path, resolve));
    writeFileSync(join(this.home, 'run'), `${this.#runDir}\n`);
    writeFileSync(join(this.home, 'host.pid'), `${this.#pid}\n`);
    return this;
  }

  /** As a kill would: every connection is cut. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
    this.#server = createServer((request, answer) => void this.#serve(request, answer));
  }

  addAgent(input: AgentInput): AgentView {
    const { name, provider, sandbox = 'bubblewrap' } = input;
    const view: AgentView = {
      id: `id-of-${name}`,
      name,
      provider,
      model: input.model ?? null,
      baseUrl: input.baseUrl ?? null,
      api: input.api ?? null,
      sandbox,
      key: input.key ?? null,
      instructionsFile: join(this.home, 'agents', name, 'instructions.md'),
      destinations: ['terminal'],
      createdAt: '2026-01-01T00:00:00.000Z',
    };
    this.agents.set(name, view);
    return view;
  }

  /** Whose chats are open. */
  get chatting(): string[] {
    return [...this.#chats.values()];
  }

  say(agent: string, text: string, delivery: string, answers: string[] = []): void {
    this.waiting.push({ agent, delivery, text });
    this.tell(agent, { type: 'message', delivery, seq: 1, text, notice: false, mayBeDuplicate: false, answers });
  }

  /** Resolves once `holds` does; looked at after every request. */
  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise<void>((resolve) => this.#watchers.add(resolve));
  }

  #looked(): void {
    for (const wake of this.#watchers) wake();
    this.#watchers.clear();
  }

  /** To every terminal of this agent that is connected. */
  tell(agent: string, event: ChatEvent): void {
    for (const [chat, name] of this.#chats) if (name === agent) chat.write(`${JSON.stringify(event)}\n`);
  }

  async #serve(request: IncomingMessage, answer: ServerResponse): Promise<void> {
    this.uids.add(String(request.headers['x-halfdoor-uid']));
    const url = new URL(request.url ?? '/', 'http://halfdoor');
    let text = '';
    for await (const part of request) text += String(part);
    const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
    const [, , what = '', name = '', more] = url.pathname.split('/').map(decodeURIComponent);
    const key = `${request.method} ${what}${name && ` ${what === 'deliveries' ? name : ':'}`}${more ? ` ${more}` : ''}`;
    const found = this.#route(key, name, body, url, answer);
    const refused = found && 'error' in found && 'next' in found && !('id' in found);
    if (found !== undefined) answer.writeHead(refused ? 404 : 200).end(JSON.stringify(found));
    this.#looked();
  }

  #route(
    key: string,
    name: string,
    body: Record<string, unknown>,
    url: URL,
    answer: ServerResponse,
  ): object | null | undefined {
    switch (key) {
      case 'GET status':
        return this.#status();
      case 'POST stop':
        this.stopped = true;
        this.onStop(); // before the answer is out, as a host may
        return { stopping: true };
      case 'GET agents':
        return [...this.agents.values()];
      case 'POST agents':
        return this.addAgent(body as AgentInput);
      case 'GET agents :':
        return this.agents.get(name) ?? unknown(name);
      case 'PATCH agents :':
        return this.agents.has(name) ? this.#change(name, body) : unknown(name);
      case 'DELETE agents :':
        return this.agents.delete(name) ? { deleted: name } : unknown(name);
      case 'GET secrets':
        return [...this.secrets.keys()].map((it) => this.#secret(it));
      case 'PUT secrets :':
        this.secrets.set(name, String(body.value));
        return this.#secret(name);
      case 'DELETE secrets :':
        return this.secrets.delete(name) ? { removed: name } : { error: `there is no secret ${name}`, next: 'none' };
      case 'POST agents : check':
        return this.checks.get(name) ?? { ok: true, ms: 1 };
      case 'POST agents : messages':
        return this.agents.has(name) ? this.#accept(name, String(body.text), String(body.id)) : unknown(name);
      case 'GET agents : chat':
        return this.agents.has(name) ? this.#chat(name, answer) : unknown(name);
      case 'GET agents : folder':
        return this.agents.has(name) ? null : unknown(name);
      case 'GET messages :':
        return this.#waitFor(name, Number(url.searchParams.get('wait')), answer);
      case 'POST deliveries received':
        return this.#take(body.ids as string[]);
      case 'GET sessions':
        return [];
      default:
        return { error: `no ${key} here`, next: 'none' };
    }
  }

  #change(name: string, patch: object): object {
    this.patches.push(patch);
    return Object.assign(this.agents.get(name) ?? {}, patch);
  }

  #secret(name: string): SecretView {
    return { name, from: 'kept', updatedAt: '2026-01-01T00:00:00.000Z', usedBy: ['a'] };
  }

  #status(): StatusView {
    return {
      version: '0.0.0',
      home: this.home,
      pid: this.#pid,
      startedAt: '2026-01-01T00:00:00.000Z',
      sandboxes: [{ kind: 'bubblewrap', ok: true }],
      reader: { walled: true },
      channels: [],
      agents: this.agents.size,
      sessions: { total: 0, awake: 0, waiting: 0 },
      open: { messages: 0, deliveries: this.waiting.length, dead: 0 },
    };
  }

  #accept(agent: string, text: string, id: string): MessageView {
    const known = this.messages.get(id);
    if (known) return known.view;
    const view: MessageView = { id, status: 'accepted', replies: [], notices: [] };
    this.messages.set(id, { agent, text, view });
    if (text.startsWith('@hang')) {
      this.tell(agent, { type: 'progress', state: 'tool', detail: 'shell', since: new Date().toISOString() });
      return { ...view };
    }
    if (text.startsWith('@park')) {
      view.notices.push({ delivery: `n-${id}`, seq: null, text: 'it waits for the quota', to: `terminal:${agent}` });
      return { ...view, notices: [] };
    }
    const accepted = structuredClone(view);
    this.#settle(id, text);
    return accepted;
  }

  #settle(id: string, text: string): void {
    const message = this.messages.get(id);
    if (!message || message.view.status !== 'accepted') return;
    const { view, agent } = message;
    if (text === '/stop') {
      for (const [other, it] of this.messages) if (it.agent === agent && other !== id) this.#settle(other, '@silent');
    }
    if (text.startsWith('@fail'))
      Object.assign(view, { status: 'failed', error: 'the provider failed', next: 'Look at the key.' });
    else if (text === '@silent' || text === '/stop') view.status = 'no-reply';
    else {
      const said = text.replace(/^@reply /, '');
      view.status = 'answered';
      view.replies.push({ delivery: `d-${id}`, seq: 1, text: said, to: 'terminal' });
      this.say(agent, said, `d-${id}`, [id]);
    }
    this.tell(agent, { type: 'settled', message: id, status: view.status === 'failed' ? 'failed' : 'done' });
  }

  #chat(agent: string, answer: ServerResponse): undefined {
    answer.writeHead(200, { 'content-type': 'application/x-ndjson' });
    const kept = this.waiting.filter((it) => it.agent === agent);
    this.#chats.set(answer, agent);
    answer.on('close', () => this.#chats.delete(answer));
    const write = (event: ChatEvent): void => void answer.write(`${JSON.stringify(event)}\n`);
    write({ type: 'ready', agent, provider: 'mock', model: null, sandbox: 'bubblewrap', waiting: kept.length });
    for (const { delivery, text } of kept) {
      write({ type: 'message', delivery, seq: 1, text, notice: false, mayBeDuplicate: false, answers: [] });
    }
    return undefined;
  }

  #waitFor(id: string, waitMs: number, answer: ServerResponse): object | undefined {
    const message = this.messages.get(id);
    if (!message) return { error: `no message ${id}`, next: 'none' };
    if (message.view.status !== 'accepted' || !waitMs) return message.view;
    const timer = setTimeout(() => answer.end(JSON.stringify(message.view)), waitMs);
    void this.until(() => message.view.status !== 'accepted' || answer.destroyed).then(() => {
      clearTimeout(timer);
      answer.end(JSON.stringify(message.view));
    });
    answer.on('close', () => clearTimeout(timer));
    return undefined;
  }

  #take(ids: string[]): object {
    this.received.push(...ids);
    for (const id of ids) {
      const at = this.waiting.findIndex((it) => it.delivery === id);
      if (at >= 0) this.waiting.splice(at, 1);
    }
    return { ended: ids.length };
  }
}

const unknown = (name: string): ApiError => ({ error: `no agent named ${name}`, next: 'See the list.' });
