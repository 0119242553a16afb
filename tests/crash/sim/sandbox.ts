/** A sandbox kind whose runs live in this process: started, stopped and killed on the scheduler's time. */
import {
  SandboxError,
  type RunningSandbox,
  type Sandbox,
  type SandboxExit,
  type SandboxSpec,
} from '../../../host/sandboxes/sandbox.ts';
import { LIMITS } from '@halfdoor/protocol/limits';
import { never, type Life } from './life.ts';
import type { Random } from './random.ts';
import type { Scheduler } from './scheduler.ts';
import { SimRun, type RunDeps } from './sim-run.ts';

type Deps = Omit<RunDeps, 'onOver'> & {
  scheduler: Scheduler;
  random: Random;
  failPercent(): number;
  onStart(run: SimRun): void;
  onFailedStart(spec: SandboxSpec): void;
  /** The run is over, and why; `asked` when the host had asked it to end. */
  onOver(run: SimRun, exit: SandboxExit, asked: boolean): void;
};

const START_MS = 30;
const EXIT_MS = 4;

export class SimSandbox implements Sandbox {
  readonly kind = 'process';
  readonly #life: Life;
  readonly #deps: Deps;
  /** What tells the host of a run that it is gone. */
  readonly #tellGone = new Map<SimRun, (exit: SandboxExit) => void>();

  constructor(life: Life, deps: Deps) {
    this.#life = life;
    this.#deps = deps;
  }

  baseOf(sessionFolder: string): string {
    return sessionFolder;
  }

  probe(): Promise<{ ok: true }> {
    return Promise.resolve({ ok: true });
  }

  start(spec: SandboxSpec): Promise<RunningSandbox> {
    const { scheduler, random, failPercent, onFailedStart } = this.#deps;
    if (this.#life.ended) return never();
    return new Promise((resolve, reject) => {
      const fails = random.chance(failPercent());
      scheduler.later(this.#life, `start ${spec.sessionId}`, START_MS, fails ? 'start fails' : 'starts a run', () => {
        if (!fails) return resolve(this.#begin(spec));
        onFailedStart(spec);
        return reject(new SandboxError('no room for a sandbox', 'Make room.'));
      });
    });
  }

  #begin(spec: SandboxSpec): RunningSandbox {
    const { scheduler } = this.#deps;
    let asked = false;
    const onOver = (it: SimRun, exit: SandboxExit): void => {
      this.#deps.onOver(it, exit, asked);
      this.gone(it, exit);
    };
    const run = new SimRun(spec, { ...this.#deps, onOver });
    const { promise: gone, resolve } = Promise.withResolvers<SandboxExit>();
    this.#tellGone.set(run, resolve);
    this.#deps.onStart(run);
    const stop = (): Promise<SandboxExit> => {
      asked = true;
      run.end();
      scheduler.after(run.life, LIMITS.stopGraceMs, 'is stopped for good', () => run.kill());
      return gone;
    };
    return { pid: spec.run, pids: () => [], gone, stop, kill: () => run.kill() };
  }

  /** The host learns that nothing of this run is left; once. */
  gone(run: SimRun, exit: SandboxExit): void {
    const tell = this.#tellGone.get(run);
    if (!tell) return;
    this.#tellGone.delete(run);
    this.#deps.scheduler.later(
      this.#life,
      `exit ${run.life.name}`,
      EXIT_MS,
      `learns that ${run.life.name} is gone`,
      () => tell(exit),
    );
  }
}
