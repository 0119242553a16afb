/**
 * Everything that happens, one thing after the other, in time that passes only here. What is due together is taken in an
 * order that the seed decides; within one lane it stays in order. Nothing else starts anything, so one seed is one story.
 */
import type { Life } from './life.ts';
import type { Random } from './random.ts';

type Task = { at: number; owner: Life; lane: string; what: string; fn(): void };

const BEGIN = Date.parse('2026-01-02T03:04:05.000Z');

export class Scheduler {
  readonly #random: Random;
  readonly #lanes = new Map<string, Task[]>();
  #now = BEGIN;
  #aheadMs = 0;
  #timers = 0;
  /** What happened, a line each. */
  readonly trace: string[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  get now(): number {
    return this.#now;
  }

  /** The clock on the wall, which somebody may set; nothing here waits by it. */
  get wall(): number {
    return this.#now + this.#aheadMs;
  }

  setWall(byMs: number): void {
    this.#aheadMs += byMs;
  }

  get passedMs(): number {
    return this.#now - BEGIN;
  }

  get size(): number {
    return [...this.#lanes.values()].reduce((sum, tasks) => sum + tasks.length, 0);
  }

  /** What is to come, for a report. */
  pending(): string[] {
    return [...this.#lanes.values()].flat().map((it) => `${it.owner.name} ${it.what} in ${it.at - this.#now} ms`);
  }

  note(line: string): void {
    this.trace.push(`${this.passedMs} ${line}`);
  }

  /** `fn` is called in `ms` milliseconds or later, after everything that stands in this lane before it. */
  add(owner: Life, lane: string, ms: number, what: string, fn: () => void): () => void {
    if (owner.ended) return () => {};
    const name = `${owner.name} ${lane}`;
    const tasks = this.#lanes.get(name) ?? [];
    this.#lanes.set(name, tasks);
    const task = { at: this.#now + ms, owner, lane: name, what, fn };
    tasks.push(task);
    return () => this.#remove(task);
  }

  /** A timer: a lane of its own. */
  after(owner: Life, ms: number, what: string, fn: () => void): () => void {
    return this.add(owner, `timer ${(this.#timers += 1)}`, ms, what, fn);
  }

  /** Something that takes a while outside: up to `maxMs`, as the seed has it. */
  later(owner: Life, lane: string, maxMs: number, what: string, fn: () => void): () => void {
    return this.add(owner, lane, this.#random.below(maxMs + 1), what, fn);
  }

  #remove(task: Task): void {
    const tasks = this.#lanes.get(task.lane) ?? [];
    const left = tasks.filter((it) => it !== task);
    if (left.length === 0) this.#lanes.delete(task.lane);
    else this.#lanes.set(task.lane, left);
  }

  /** Nothing that the dead had planned happens. */
  drop(owner: Life): void {
    for (const [name, tasks] of this.#lanes) if (tasks[0]?.owner === owner) this.#lanes.delete(name);
  }

  /** Does the next thing and everything that follows from it at once. False when there is nothing to come. */
  async step(): Promise<boolean> {
    if (this.#lanes.size === 0) await turn();
    const heads = [...this.#lanes.values()].flatMap((tasks) => tasks.slice(0, 1));
    if (heads.length === 0) return false;
    this.#now = Math.max(this.#now, Math.min(...heads.map((it) => it.at)));
    const due = heads.filter((it) => it.at <= this.#now);
    const next = due[this.#random.below(due.length)];
    if (!next) return false;
    this.#remove(next);
    this.note(`${next.owner.name}: ${next.what}`);
    next.fn();
    await turn();
    return true;
  }
}

/** One turn of the loop of the machine itself: every promise that can settle has settled when it comes round. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
