import assert from 'node:assert/strict';

/** Signals one process. No pid is an error: signalling pid 0 would end the tests themselves, and nobody would know why. */
export function killOne(pid: number | null | undefined, signal: NodeJS.Signals): void {
  process.kill(known(pid, signal), signal);
}

/** Signals the process group that `pid` leads. */
export function killGroup(pid: number | null | undefined, signal: NodeJS.Signals): void {
  process.kill(-known(pid, signal), signal);
}

function known(pid: number | null | undefined, signal: NodeJS.Signals): number {
  assert.ok(typeof pid === 'number' && pid > 1, `there is no process to send ${signal}, but pid ${pid}`);
  return pid;
}
