/** One kill: the process that is at the chosen step stands still, its victim gets SIGKILL, everything else goes on. */
import { runLabel } from '../../host/sandboxes/label.ts';
import type { Random } from '../../tests/crash/sim/random.ts';
import type { World } from '../../tests/world/host.ts';
import { pause } from '../measure.ts';
import { Controller } from './controller.ts';
import type { Stopped } from './gate.ts';
import { pick, stepOf, type Pair, type Role } from './plan.ts';
import { isStopped, labelled, signal } from './processes.ts';

export type Chat = { name: string; session: string };
/** `chat` null: the kill concerns them all. */
export type Killed = { at: number; chat: string | null };

const STEP_MS = 3_000;
const CHANCE_MS = 60;

export class Siege {
  readonly #world: World;
  readonly #install: string;
  readonly #random: Random;
  readonly #chats: readonly Chat[];
  readonly #controller: Controller;

  constructor(it: { world: World; install: string; gate: string; random: Random; chats: readonly Chat[] }) {
    this.#world = it.world;
    this.#install = it.install;
    this.#random = it.random;
    this.#chats = it.chats;
    this.#controller = new Controller(it.gate, (stopped) => void this.#letGo(stopped));
  }

  /** Null when there was nobody to kill: the step did not come, or its victim is not alive. A dead host is up again. */
  async kill({ role, row }: Pair): Promise<Killed | null> {
    if (row === 'any') {
      await pause(this.#random.below(CHANCE_MS));
      return this.#strike(role, this.#chats, null);
    }
    const stopped = await this.#controller.stopAt(stepOf(row, this.#random), STEP_MS);
    if (stopped === null) return null;
    await this.#standsStill(stopped);
    const own = this.#chats.filter((it) => it.name === stopped.who || this.#labelOf(it.session) === stopped.who);
    return this.#strike(role, own.length > 0 ? own : this.#chats, stopped);
  }

  async #strike(role: Role, chats: readonly Chat[], stopped: Stopped | null): Promise<Killed | null> {
    const victims = this.#victims(role, chats);
    const victim = victims.length === 0 ? null : pick(victims, this.#random);
    const at = performance.now();
    const hit = victim !== null && signal(victim.pid, 'SIGKILL');
    // What stands still while its host dies may be found so by the next one, or go on without one.
    const late = role === 'host' && this.#random.chance(50);
    if (stopped !== null && !late) await this.#letGo(stopped);
    if (hit && role === 'host') await this.#world.restart('SIGKILL');
    if (stopped !== null && late) await this.#letGo(stopped);
    return hit ? { at, chat: victim.chat } : null;
  }

  #victims(role: Role, chats: readonly Chat[]): { pid: number; chat: string | null }[] {
    if (role === 'host') return [{ pid: this.#world.pid, chat: null }];
    const wanted = { reader: ['bwrap', 'bun'], runner: ['bun'], sandbox: ['bwrap', 'tini'] }[role];
    const of = (what: string, chat: string | null) =>
      labelled(this.#labelOf(what)).flatMap(({ pid, program }) => (wanted.includes(program) ? [{ pid, chat }] : []));
    return role === 'reader' ? of('reader', null) : chats.flatMap(({ name, session }) => of(session, name));
  }

  #labelOf(what: string): string {
    return runLabel(this.#install, what);
  }

  /** A run knows its pid inside its sandbox only; by its label it is found outside. */
  #pidOf({ pid, who }: Stopped): number | undefined {
    return who.startsWith('halfdoor-') ? labelled(who).find(({ program }) => program === 'bun')?.pid : pid;
  }

  /** It says where it is before it stops: what came in between would be lost on it. */
  async #standsStill(stopped: Stopped): Promise<number | undefined> {
    const pid = this.#pidOf(stopped);
    while (pid !== undefined && isStopped(pid) === false) await pause(1);
    return pid;
  }

  async #letGo(stopped: Stopped): Promise<void> {
    const pid = await this.#standsStill(stopped);
    if (pid !== undefined) signal(pid, 'SIGCONT');
  }

  close(): void {
    this.#controller.close();
  }
}
