/** The runner in process: its own loop, speaker, intake and files, on the scheduler's time, until it ends or is killed. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Durable } from '@halfdoor/protocol/durable';
import { isFault } from '@halfdoor/protocol/fault';
import { parseHeartbeat } from '@halfdoor/protocol/host';
import { heartbeatFile, InboundReader, OutboundWriter, progressFile } from '@halfdoor/protocol/runner';
import type { SandboxExit, SandboxSpec } from '../../../host/sandboxes/sandbox.ts';
import { mockProvider } from '../../../runner/providers/mock.ts';
import type { AgentProvider, PromptMessage, ProviderEvent } from '../../../runner/providers/provider.ts';
import { serve, type Machine } from '../../../runner/serve.ts';
import { noWayOut } from '../../../runner/way-out.ts';
import type { Bells } from './bells.ts';
import { Killed, Life, never } from './life.ts';
import type { Scheduler } from './scheduler.ts';

export type RunDeps = {
  scheduler: Scheduler;
  bells: Bells;
  durable(life: Life): Durable;
  newId(): string;
  /** Messages are put before the model. */
  onPrompt(run: SimRun, ids: readonly string[]): void;
  onOver(run: SimRun, exit: SandboxExit): void;
};

/** Every file counts as large, so that each rest prunes. */
class PrunesAlways extends OutboundWriter {
  override pruneIfLarge(seqFloor: () => number, keepAnswersTo: readonly string[]): number {
    return this.prune(seqFloor(), keepAnswersTo);
  }
}

const THINK_MS = 3;

export class SimRun {
  readonly spec: SandboxSpec;
  readonly life: Life;
  readonly #deps: RunDeps;
  readonly #base: string;
  readonly #open: { close(): void }[] = [];
  #askToEnd: () => void = () => {};

  constructor(spec: SandboxSpec, deps: RunDeps) {
    this.spec = spec;
    this.#deps = deps;
    this.#base = dirname(spec.inDir);
    this.life = new Life(`run ${spec.run} of ${spec.sessionId.slice(-4)}`);
    this.life.onEnd(() => this.#open.forEach((it) => it.close()));
    deps.scheduler.later(this.life, 'begin', THINK_MS, 'begins', () => void this.#serve());
  }

  async #serve(): Promise<void> {
    const { run, recover } = this.spec;
    let exit: SandboxExit = { code: 0, signal: null, stderr: '' };
    try {
      await serve({ run, base: this.#base, recover }, this.#machine());
    } catch (error) {
      if (error instanceof Killed) return;
      const code = isFault(error, 'fenced') ? 3 : 1;
      exit = { code, signal: null, stderr: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
    if (!this.life.ended) this.#over(exit);
  }

  #over(exit: SandboxExit): void {
    this.life.end();
    this.#deps.scheduler.drop(this.life);
    this.#deps.onOver(this, exit);
  }

  /** SIGKILL. */
  kill(): void {
    if (!this.life.ended) this.#over({ code: null, signal: 'SIGKILL', stderr: '' });
  }

  /** SIGTERM. */
  end(): void {
    this.#deps.scheduler.add(this.life, 'signal', 0, 'is asked to end', () => this.#askToEnd());
  }

  /** What it says it works on; null when it has said nothing. */
  claims(): string[] | null {
    const heartbeat = parseHeartbeat(readFileSync(join(this.spec.outDir, 'heartbeat'), 'utf8'));
    return heartbeat?.run === this.spec.run ? heartbeat.claims : null;
  }

  #machine(): Machine {
    const { scheduler, bells, durable, newId } = this.#deps;
    const { life } = this;
    const after = (ms: number, fn: () => void): (() => void) => scheduler.after(life, ms, 'timer', fn);
    return {
      openOutbound: (path, run) => this.#kept(new PrunesAlways(path, run, durable(life))),
      durable: durable(life),
      openInbound: (path) => this.#kept(new InboundReader(path)),
      heartbeatFile: (path) => this.#line(heartbeatFile(path)),
      progressFile: (path) => this.#line(progressFile(path)),
      connectBell: (_path, onRing) => bells.connect(life, join(this.spec.socketDir, 'bell.sock'), onRing),
      loadProvider: (_name, deps) => Promise.resolve(this.#paced(mockProvider(deps))),
      openWayOut: () => Promise.resolve(noWayOut),
      search: () => Promise.resolve([]),
      readPage: () => Promise.reject(new Error('there is no network in here')),
      after,
      sleep: (ms, signal) =>
        new Promise((resolve) => {
          if (life.ended) return;
          const cancel = after(ms, resolve);
          const cut = (): void => (cancel(), resolve());
          if (signal.aborted) cut();
          else signal.addEventListener('abort', cut, { once: true });
        }),
      newId,
      now: () => new Date(scheduler.wall).toISOString(),
      env: {},
      onEnd: (end) => (this.#askToEnd = end),
    };
  }

  #kept<T extends { close(): void }>(it: T): T {
    this.#open.push(it);
    return it;
  }

  /** The dead write no line, and a descriptor is closed once: its number may be another file's by then. */
  #line<T>(file: { write(value: T): boolean; close(): void }): { write(value: T): boolean; close(): void } {
    let open = true;
    const close = (): void => {
      if (open) file.close();
      open = false;
    };
    return this.#kept({ write: (value) => open && !this.life.ended && file.write(value), close });
  }

  /** The provider's events come one by one, so that anything may happen between two of them. */
  #paced(provider: AgentProvider): AgentProvider {
    const { scheduler, onPrompt } = this.#deps;
    const { life } = this;
    const told = (message: PromptMessage): void => onPrompt(this, message.ids);
    const pause = (): Promise<void> =>
      life.ended ? never() : new Promise((resolve) => scheduler.later(life, 'thinks', THINK_MS, 'thinks', resolve));
    async function* paced(events: AsyncIterable<ProviderEvent>): AsyncGenerator<ProviderEvent> {
      for await (const event of events) {
        await pause();
        yield event;
      }
    }
    return {
      ...provider,
      query: (input) => {
        told(input.prompt);
        const query = provider.query(input);
        return {
          events: paced(query.events),
          push: (message) => (told(message), query.push(message)),
          end: () => query.end(),
          abort: () => query.abort(),
        };
      },
    };
  }
}
