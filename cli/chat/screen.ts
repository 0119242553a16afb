/**
 * Where a chat is shown. On a terminal that can, the line being typed stays below what is said, and what the agent is at
 * is redrawn in place; elsewhere everything is a plain line without a single escape.
 */
import { createInterface, type Interface } from 'node:readline';
import { visible } from '../visible.ts';
import type { Partial } from './frame.ts';
import type { History } from './history.ts';
import { livelyScreen } from './lively.ts';

export type Screen = {
  /** A whole reply. */
  say(text: string): void;
  /** A line about the conversation. */
  remark(text: string): void;
  /** What the agent is at, or null when nobody waits for it; and the reply that it is writing. */
  live(status: string | null, partial: Partial | null): void;
  onLine(listener: (line: string) => void): void;
  onInterrupt(listener: () => void): void;
  /** No more will be typed. */
  onEnd(listener: () => void): void;
  close(): void;
};

export type Terminal = {
  input: NodeJS.ReadStream;
  output: NodeJS.WriteStream;
  env: NodeJS.ProcessEnv;
  history: History;
};

/** Whether lines may be rewritten in place. */
export const isLively = ({ input, output, env }: Pick<Terminal, 'input' | 'output' | 'env'>): boolean =>
  input.isTTY === true && output.isTTY === true && env.TERM !== 'dumb' && !env.NO_COLOR;

export function openScreen(terminal: Terminal): Screen {
  return isLively(terminal) ? livelyScreen(terminal) : plainScreen(terminal);
}

function plainScreen({ input, output }: Terminal): Screen {
  const lines = createInterface({ input, terminal: false });
  let told: string | null = null;
  const write = (text: string): void => void output.write(`${visible(text)}\n`);
  return {
    ...typed(lines),
    say: write,
    remark: (text) => write(`* ${text}`),
    live: (status) => {
      // The seconds change all the time; without rewriting, only what it does is worth a line.
      const state = status?.replace(/,(?: \d+ min)? \d+ s$/, '') ?? null;
      if (state !== null && state !== told) write(`[${state}]`);
      told = state;
    },
  };
}

const typed = (lines: Interface): Pick<Screen, 'onLine' | 'onInterrupt' | 'onEnd' | 'close'> => ({
  onLine: (listener) => void lines.on('line', listener),
  onInterrupt: (listener) => void process.on('SIGINT', listener),
  onEnd: (listener) => void lines.on('close', listener),
  close: () => lines.close(),
});

/** With --json: every event as it came, one a line; nothing else. */
export function jsonScreen({ input }: Pick<Terminal, 'input'>): Screen {
  const nothing = (): void => {};
  return { ...typed(createInterface({ input, terminal: false })), say: nothing, remark: nothing, live: nothing };
}
