/** What a verb ends with when it cannot do what was asked. */

/** 1 failed, 2 wrong use, 3 host not running. */
export type ExitCode = 1 | 2 | 3;

/** Shown as `error`, then `next`; the process ends with `exitCode`. */
export class Failure extends Error {
  readonly next: string;
  readonly exitCode: ExitCode;

  constructor(message: string, next: string, exitCode: ExitCode = 1) {
    super(message);
    this.name = 'Failure';
    this.next = next;
    this.exitCode = exitCode;
  }
}

export const notRunning = (home: string): Failure =>
  new Failure(`no host is running for ${home}`, 'Start it: ./halfdoor start --detach', 3);
