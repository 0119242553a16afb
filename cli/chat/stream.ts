/** The events of one agent, line by line, for as long as somebody talks to it; connects again when the host restarts. */
import type { IncomingMessage } from 'node:http';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChatEvent } from '../../host/api/contract.ts';
import { pathStep, Unreachable, type Api } from '../api.ts';

export type Connection = 'up' | 'lost';

export type StreamListener = {
  onEvent(event: ChatEvent): void;
  /** `up` each time a connection stands, `lost` once after each time it ended. */
  onConnection(state: Connection): void;
};

const AGAIN_MS = 250;

/** Ends when `signal` fires. Throws what the host refuses with, for example that there is no such agent. */
export async function follow(api: Api, agent: string, signal: AbortSignal, listener: StreamListener): Promise<void> {
  let lost = false;
  while (!signal.aborted) {
    const answer = await connect(api, agent, signal);
    if (answer) {
      lost = false;
      listener.onConnection('up');
      await read(answer, listener);
    }
    if (signal.aborted) return;
    if (!lost) listener.onConnection('lost');
    lost = true;
    await sleep(AGAIN_MS, undefined, { signal }).catch(() => {});
  }
}

/** Null when nobody is there. */
async function connect(api: Api, agent: string, signal: AbortSignal): Promise<IncomingMessage | null> {
  try {
    return await api.stream(`/v1/agents/${pathStep(agent)}/chat`, signal);
  } catch (error) {
    if (signal.aborted || error instanceof Unreachable) return null;
    throw error;
  }
}

/** Until the connection ends, however it does. */
async function read(answer: IncomingMessage, listener: StreamListener): Promise<void> {
  const lines = createInterface({ input: answer, crlfDelay: Infinity });
  try {
    for await (const line of lines) {
      const event = parseEvent(line);
      if (event === null) return; // cut off in mid-line
      listener.onEvent(event);
    }
  } catch (error) {
    if (!answer.destroyed) throw error;
  }
}

function parseEvent(line: string): ChatEvent | null {
  try {
    return JSON.parse(line) as ChatEvent;
  } catch {
    return null;
  }
}
