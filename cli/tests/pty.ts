/** The CLI on a pty, as a person sits before it; and what stands on the screen then. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { collect } from './run-cli.ts';
import { Vt } from './vt.ts';

const MAIN = join(import.meta.dirname, '..', 'main.ts');

/** `columns` sets the size of the terminal, which is unknown otherwise. */
export function atTerminal(home: string, env: NodeJS.ProcessEnv, columns?: number) {
  const size = columns === undefined ? '' : `stty cols ${columns} rows 12; `;
  const child = spawn('script', ['-qefc', `${size}'${process.execPath}' '${MAIN}' chat a`, '/dev/null'], {
    env: { PATH: process.env.PATH, HOME: home, HALFDOOR_HOME: home, SHELL: '/bin/sh', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const screen = new Vt(columns ?? 80);
  let out = '';
  let look = (): void => {};
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    out += part;
    if (env.TERM !== 'dumb') screen.write(part);
    look();
  });
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await new Promise<void>((resolve) => (look = resolve));
  };
  return {
    child,
    screen,
    /** Until this was written, at any time. */
    shown: (what: RegExp) => until(() => what.test(out)),
    /** Until the screen ends with these lines. */
    stands: (lines: readonly string[]) =>
      until(() => JSON.stringify(screen.lines.slice(-lines.length)) === JSON.stringify(lines)),
    type: (text: string) => child.stdin.write(text),
    ended: collect(child),
  };
}
