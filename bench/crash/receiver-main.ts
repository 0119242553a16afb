/**
 * `node receiver-main.ts HOME GATE SEED CHAT…`: somebody who sits in these terminal chats, and a program that has replies
 * posted to it, both in a process of their own. Each message goes to standard output before it is confirmed. The program
 * is down or drops a connection now and then; the terminal comes back when it is cut off.
 */
import { readFileSync, writeSync } from 'node:fs';
import { Agent, createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ChatEvent } from '../../host/api/contract.ts';
import type { Said } from '../../host/channels/http/types.ts';
import { Random } from '../../tests/crash/sim/random.ts';
import { makeGate, type Gate } from './gate.ts';
import type { Received } from './tally.ts';

const AGAIN_MS = 20;
/** Of a hundred callbacks. */
const REFUSED = 1;
const DROPPED = 2;
const [home = '', gateFolder = '', seed = '', ...chats] = process.argv.slice(2);
const kept = new Agent({ keepAlive: true });
const random = new Random(Number(seed));

const tell = (it: Received | { port: number }): void => void writeSync(1, `${JSON.stringify(it)}\n`);
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

function take(chat: string, gate: Gate, event: ChatEvent): void {
  if (event.type !== 'message') return;
  const { delivery, text, mayBeDuplicate, notice, answers } = event;
  tell({ chat, delivery, text, mayBeDuplicate, notice, answers });
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

const gates = new Map<string, Gate>();

async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const { chat, delivery, text, mayBeDuplicate, notice, answers } = JSON.parse(
    Buffer.concat(chunks).toString('utf8'),
  ) as Said;
  if (random.chance(REFUSED)) {
    outgoing.writeHead(503).end();
    return;
  }
  const gate = gates.get(chat) ?? makeGate(gateFolder, chat);
  gates.set(chat, gate);
  tell({ chat, delivery, text, mayBeDuplicate, notice, answers });
  gate('deliver', 'before');
  if (random.chance(DROPPED)) outgoing.destroy();
  else outgoing.writeHead(200).end('{}', () => gate('deliver', 'after'));
}

for (const chat of chats) sitIn(chat);
const server = createServer((incoming, outgoing) => void serve(incoming, outgoing).catch(() => outgoing.destroy()));
server.listen(0, '127.0.0.1', () => tell({ port: (server.address() as AddressInfo).port }));
