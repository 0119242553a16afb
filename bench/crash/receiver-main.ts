/**
 * `node receiver-main.ts HOME GATE CHAT…`: somebody who sits in these chats, in a process of its own. It comes back when
 * it is cut off, writes each message to standard output before it confirms it, and knows nothing of the host but its API.
 */
import { readFileSync, writeSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ChatEvent } from '../../host/api/contract.ts';
import { makeGate } from './gate.ts';
import type { Received } from './tally.ts';

const AGAIN_MS = 20;
const [home = '', gateFolder = '', ...chats] = process.argv.slice(2);
const kept = new Agent({ keepAlive: true });

const socketPath = (): string => join(readFileSync(join(home, 'run'), 'utf8').trim(), 'api.sock');

function confirm(delivery: string, done: () => void): void {
  const payload = JSON.stringify({ ids: [delivery] });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
  const path = '/v1/deliveries/received';
  const asked = request({ socketPath: socketPath(), path, method: 'POST', headers, agent: kept }, (answer) =>
    answer.resume().on('end', done),
  );
  // The host is gone: it shows the message again.
  asked.on('error', () => undefined).end(payload);
}

function take(chat: string, gate: ReturnType<typeof makeGate>, event: ChatEvent): void {
  if (event.type !== 'message') return;
  const { delivery, text, mayBeDuplicate, notice, answers } = event;
  const received: Received = { chat, key: delivery, text, mayBeDuplicate, notice, answers };
  writeSync(1, `${JSON.stringify(received)}\n`);
  gate('deliver', 'before');
  confirm(delivery, () => gate('deliver', 'after'));
}

function sitIn(chat: string): void {
  const gate = makeGate(gateFolder, chat);
  const again = (): void => void setTimeout(() => sitIn(chat), AGAIN_MS);
  const asked = request({ socketPath: socketPath(), path: `/v1/agents/${chat}/chat` }, (answer) => {
    answer.on('error', () => undefined).once('close', again);
    const lines = createInterface({ input: answer }).on('error', () => undefined);
    lines.on('line', (line) => take(chat, gate, JSON.parse(line) as ChatEvent));
  });
  asked.on('error', () => undefined).once('error', again);
  asked.end();
}

for (const chat of chats) sitIn(chat);
