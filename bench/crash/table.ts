/** What a person reads of it: kills per role (down) and row (across), and how long it took until somebody was answered. */
import { percentile } from '../measure.ts';
import { ROLES, ROWS, type Counts, type Role } from './plan.ts';

/** From each kill to the next reply of its session, of the host to its next answer; in milliseconds. */
export class Recoveries {
  readonly #taken: { role: Role; ms: number }[] = [];

  add(role: Role, ms: number): void {
    this.#taken.push({ role, ms });
  }

  /** Of all roles when `role` is null. */
  of(role: Role | null): { p50: number; p99: number } {
    const taken = this.#taken.filter((it) => role === null || it.role === role).map(({ ms }) => ms);
    return { p50: percentile(taken, 0.5), p99: percentile(taken, 0.99) };
  }
}

export function table(counts: Counts, recoveries: Recoveries): string {
  const lines = ROLES.map((role) => {
    const own = ROWS.map((row) => counts.of({ role, row }));
    const { p50, p99 } = recoveries.of(role);
    return [role, ...[...own, own.reduce((sum, it) => sum + it, 0), Math.round(p50), Math.round(p99)].map(String)];
  });
  const cells = [['', ...ROWS, 'all', 'p50 ms', 'p99 ms'], ...lines];
  const width = (at: number): number => Math.max(...cells.map((line) => line[at]?.length ?? 0));
  return cells.map((line) => line.map((it, at) => it.padStart(width(at))).join('  ')).join('\n');
}
