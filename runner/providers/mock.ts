/**
 * A provider that thinks nothing: lines of the message say what it does, so that a whole system can be driven from
 * outside. Without any such line it echoes.
 */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AgentProvider, ErrorKind, ProviderDeps, ProviderEvent, QueryInput } from './provider.ts';
import { QueuedQuery } from './queued-query.ts';
import { addressed, messagesIn, type Asked } from './prompt-text.ts';
import { runShell } from './shell.ts';

const STREAM_MS = 50;
const ERROR_KINDS: readonly ErrorKind[] = ['transient', 'quota', 'auth', 'fatal', 'invalid-session'];

type Failure = { kind: ErrorKind; message: string; resetsAt?: string };
/** What one line adds to the answer, or that it ends in failure. */
type Done = { text: string } | { failure: Failure };

export function mockProvider(deps: ProviderDeps): AgentProvider {
  return {
    supportsNativeSlashCommands: false,
    query: (input) => new MockQuery(deps, input),
    isSessionInvalid: () => false,
  };
}

class MockQuery extends QueuedQuery {
  readonly #deps: ProviderDeps;
  readonly #input: QueryInput;

  constructor(deps: ProviderDeps, input: QueryInput) {
    super(input.prompt);
    this.#deps = deps;
    this.#input = input;
  }

  protected override async *run(): AsyncGenerator<ProviderEvent> {
    yield { type: 'init', continuation: this.#input.continuation ?? this.#deps.randomId() };
    for (;;) {
      const prompt = await this.queue.take(this.signal);
      if (prompt === null) return;
      if (prompt.ids.length > 0) yield { type: 'seen', ids: prompt.ids };
      let answer = '';
      for (const message of messagesIn(prompt.text)) {
        const done = yield* this.#answer(message);
        if ('failure' in done) {
          yield { type: 'error', ...done.failure };
          return;
        }
        answer += done.text;
      }
      if (this.signal.aborted) return;
      yield { type: 'usage', inputTokens: prompt.text.length, outputTokens: answer.length };
      yield { type: 'result', text: answer };
    }
  }

  async *#answer(message: Asked): AsyncGenerator<ProviderEvent, Done> {
    const lines = message.text.split('\n').filter((line) => /^@[a-z]+( |$)/.test(line));
    if (lines.length === 0) return { text: addressed(message.from, message.text) };
    let text = '';
    for (const line of lines) {
      const done = yield* this.#line(message, line);
      if ('failure' in done) return done;
      text += done.text;
    }
    return { text };
  }

  async *#line(message: Asked, line: string): AsyncGenerator<ProviderEvent, Done> {
    const [, verb = '', rest = ''] = /^@([a-z]+) ?(.*)$/.exec(line) ?? [];
    switch (verb) {
      case 'reply':
        return { text: addressed(message.from, rest) };
      case 'to': {
        const [to = '', ...words] = rest.split(' ');
        return { text: addressed(to, words.join(' ')) };
      }
      case 'raw':
        return { text: rest };
      case 'tool':
        return { text: addressed(message.from, await this.#tool(rest)) };
      case 'shell':
        yield { type: 'progress', text: rest, tool: 'shell' };
        return { text: addressed(message.from, await this.#shell(rest)) };
      case 'attached':
        return { text: addressed(message.from, message.files.map((path) => readFileSync(path, 'utf8')).join('\n')) };
      case 'write': {
        const [name = '', ...words] = rest.split(' ');
        writeFileSync(join(this.#input.cwd, name), words.join(' '));
        return { text: '' };
      }
      case 'sleep':
        await this.#deps.sleep(Number(rest) || 0, this.signal);
        return { text: '' };
      case 'slow':
        return yield* this.#slow(message, rest);
      case 'fail':
        return this.#fail(message, rest);
      case 'die':
        process.kill(process.pid, 'SIGKILL');
        return { text: '' };
      case 'silent':
        return { text: '' };
      default:
        return { text: addressed(message.from, `mock knows no @${verb}`) };
    }
  }

  /** `MS TEXT` writes the text over that time; without text it only thinks. */
  async *#slow(message: Asked, rest: string): AsyncGenerator<ProviderEvent, Done> {
    const [ms = '', ...words] = rest.split(' ');
    const text = words.length === 0 ? '' : addressed(message.from, words.join(' '));
    const steps = Math.ceil((Number(ms) || 0) / STREAM_MS);
    const chars = Math.ceil(text.length / steps);
    for (let n = 0; n < steps && !this.signal.aborted; n++) {
      const piece = text.slice(n * chars, (n + 1) * chars);
      if (piece === '') yield { type: 'progress', text: '…' };
      else yield { type: 'delta', text: piece };
      await this.#deps.sleep(STREAM_MS, this.signal);
    }
    return { text };
  }

  async #tool(rest: string): Promise<string> {
    const [name = '', ...json] = rest.split(' ');
    const tool = this.#deps.tools.find((it) => it.name === name);
    if (!tool) return `no tool named ${name}`;
    try {
      return await tool.run(JSON.parse(json.join(' ') || '{}') as Record<string, unknown>);
    } catch (error) {
      return `${name} failed: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  async #shell(command: string): Promise<string> {
    const { env, refusals } = this.#deps;
    const options = { cwd: this.#input.cwd, env, refusals, signal: this.signal };
    const { output, code, signal } = await runShell(command, options);
    const ending = code === 0 ? '' : `\n(${signal === null ? `exit ${code}` : signal})`;
    return `${output.trimEnd()}${ending}` || '(no output)';
  }

  /** `KIND*N at=TIME TEXT` fails N times, as if the quota reset at that time, and then goes on. The count is kept in the agent's home: it must outlive the run. */
  #fail(message: Asked, rest: string): Done {
    const [, kind, times, at, text = ''] = /^([a-z-]+)(?:\*(\d+))?(?: at=(\S+))?(?: (.*))?$/.exec(rest) ?? [];
    const known = ERROR_KINDS.find((it) => it === kind);
    if (!known) return { text: addressed(message.from, `mock cannot fail as ${kind}`) };
    const failure = { kind: known, message: text || 'as told', ...(at !== undefined && { resetsAt: at }) };
    const limit = times === undefined ? (known === 'invalid-session' ? 1 : Infinity) : Number(times);
    const key = createHash('sha256').update(`${message.id} ${rest}`).digest('hex').slice(0, 16);
    const path = join(this.#deps.env.HOME ?? this.#input.cwd, `.mock-${key}`);
    const before = existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0;
    if (before >= limit) return { text: '' };
    writeFileSync(path, String(before + 1));
    return { failure };
  }
}
