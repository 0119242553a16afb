/** What the attacks on the kernel gave behind the wall, beside what they gave where the filter of system calls was left out. */
import assert from 'node:assert/strict';

export type Said = { seccomp: string; said: Record<string, number> };

const EPERM = -1;
const ENOSYS = -38;
/** The process that tried was ended for it, by SIGSYS: what an engine does with the calls of another processor. */
const ENDED = 1031;

/** Every attack is refused, and each comes further without the filter, or it would show nothing. */
export function compare(guarded: Said, control: Said): void {
  for (const [name, got] of Object.entries(control.said)) {
    const held = guarded.said[name] ?? 0;
    process.stderr.write(`${name}: ${held}, without the filter ${got}\n`);
    assert.ok([EPERM, ENOSYS, ENDED].includes(held), `${name} gave ${held}`);
    // What the kernel itself does not have is no attack on it.
    assert.ok(got !== held || got === ENOSYS, `${name} comes no further without the filter: ${got}`);
  }
  assert.deepEqual([guarded.seccomp, control.seccomp], ['2', '0']);
}
