/**
 * Where a chat is shown. On a terminal that can, the line being typed stays below what is said, and its prompt tells
 * that the agent works; elsewhere everything is a plain line without a single escape.
 */
import { clearScreenDown, createInterface, cursorTo, moveCursor, type Interface } from 'node:readline';
import { visible } from '../visible.ts';

export type Screen = {
  /** A whole reply. */
  say(text: string): void;
  /** A line about the conversation. */
  remark(text: string): void;
  /** What the agent is doing, or null when nobody waits for it. */
  working(state: string | null): void;
  onLine(listener: (line: string) => void): void;
  onInterrupt(listener: () => void): void;
  /** No more will be typed. */
  onEnd(listener: () => void): void;
  close(): void;
};

const PROMPT = '> ';

export type Terminal = { input: NodeJS.ReadStream; output: NodeJS.WriteStream; env: NodeJS.ProcessEnv };

/** Whether lines may be rewritten in place. */
export const isLively = ({ input, output, env }: Terminal): boolean =>
  input.isTTY === true && output.isTTY === true && env.TERM !== 'dumb' && !env.NO_COLOR;

export function openScreen(terminal: Terminal): Screen {
  return isLively(terminal) ? livelyScreen(terminal) : plainScreen(terminal);
}

function livelyScreen({ input, output }: Terminal): Screen {
  const lines = createInterface({ input, output, prompt: PROMPT, terminal: true });
  lines.prompt();
  let prompt = PROMPT;
  let closed = false; // an answer may still come in while we leave
  lines.on('close', () => (closed = true));
  const above = (text: string): void => {
    if (closed) return void output.write(`\n${visible(text)}\n`);
    moveCursor(output, 0, -lines.getCursorPos().rows);
    cursorTo(output, 0);
    clearScreenDown(output);
    output.write(`${visible(text)}\n`);
    lines.prompt(true);
  };
  return {
    ...typed(lines),
    onLine: (listener) =>
      void lines.on('line', (line) => {
        lines.prompt();
        listener(line);
      }),
    onInterrupt: (listener) => void lines.on('SIGINT', listener),
    say: above,
    remark: (text) => above(`* ${text}`),
    working: (state) => {
      const wanted = state === null ? PROMPT : `[working … ${visible(state)}] ${PROMPT}`;
      if (closed || wanted === prompt) return;
      prompt = wanted;
      lines.setPrompt(prompt);
      lines.prompt(true);
    },
  };
}

function plainScreen({ input, output }: Terminal): Screen {
  const lines = createInterface({ input, terminal: false });
  let told: string | null = null;
  const write = (text: string): void => void output.write(`${visible(text)}\n`);
  return {
    ...typed(lines),
    onLine: (listener) => void lines.on('line', listener),
    onInterrupt: (listener) => void process.on('SIGINT', listener),
    say: write,
    remark: (text) => write(`* ${text}`),
    working: (state) => {
      // The seconds change all the time; without rewriting, only what it does is worth a line.
      const wanted = state?.replace(/,? ?\d+ s$/, '') ?? null;
      if (wanted !== null && wanted !== told) write(wanted === '' ? 'working …' : `working … ${wanted}`);
      told = wanted;
    },
  };
}

const typed = (lines: Interface): Pick<Screen, 'onEnd' | 'close'> => ({
  onEnd: (listener) => void lines.on('close', listener),
  close: () => lines.close(),
});

/** With --json: every event as it came, one a line; nothing else. */
export function jsonScreen({ input }: Terminal): Screen {
  const lines = createInterface({ input, terminal: false });
  const nothing = (): void => {};
  return {
    ...typed(lines),
    onLine: (listener) => void lines.on('line', listener),
    onInterrupt: (listener) => void process.on('SIGINT', listener),
    say: nothing,
    remark: nothing,
    working: nothing,
  };
}
