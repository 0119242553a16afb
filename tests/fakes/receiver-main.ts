/**
 * A receiver of callbacks that knows nothing of Halfdoor but docs/http.md: a process of its own that checks signatures,
 * counts by id, and behaves as it is told. Commands come in as JSON lines, what it got goes out as JSON lines.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import type { Behaviour, Command, Got } from './receiver.ts';

const OLDEST_S = 5 * 60;

const secrets = new Map<string, string>();
const scripts = new Map<string, Behaviour[]>();
const lasting = new Map<string, Behaviour>();
const shown = new Map<string, number>();
const held = new Set<() => void>();
let port = 0;
let order = 0;
/** How far the sender's clock may be ahead: a test may have moved it. */
let aheadS = 0;

const tell = (it: object): void => void process.stdout.write(`${JSON.stringify(it)}\n`);

const server = createServer((incoming, outgoing) => void serve(incoming, outgoing).catch(() => outgoing.destroy()));

async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  const name = (incoming.url ?? '/').slice(1);
  const chunks: Buffer[] = [];
  for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString('utf8');
  const behaviour = scripts.get(name)?.shift() ?? lasting.get(name) ?? { do: 'answer', status: 200 };
  const id = String(incoming.headers['webhook-id']);
  const takes = behaviour.do !== 'answer' || behaviour.status < 300;
  const copy = (shown.get(id) ?? 0) + (takes ? 1 : 0);
  shown.set(id, copy);
  const body = JSON.parse(text) as Got['body'];
  const key = String(incoming.headers['idempotency-key']);
  const signed = isSigned(name, incoming, text);
  tell({ type: 'got', name, id, key, order: order++, behaviour, copy, signed, headers: incoming.headers, body });
  await answer(behaviour, outgoing);
}

async function answer(behaviour: Behaviour, outgoing: ServerResponse): Promise<void> {
  switch (behaviour.do) {
    case 'answer': {
      const { status, retryAfter, location } = behaviour;
      outgoing.writeHead(status, { ...(retryAfter && { 'retry-after': retryAfter }), ...(location && { location }) });
      outgoing.end('{}');
      return;
    }
    case 'drop':
      outgoing.destroy();
      return;
    case 'hold':
      await new Promise<void>((resolve) => held.add(resolve));
      outgoing.writeHead(200).end();
  }
}

/** As the Standard Webhooks say: any of the signatures, and a time that is near. */
function isSigned(name: string, { headers }: IncomingMessage, text: string): boolean {
  const [id, time, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((it) =>
    String(headers[it]),
  );
  const key = Buffer.from((secrets.get(name) ?? '').replace(/^whsec_/, ''), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${time}.${text}`).digest();
  if (Math.abs(Date.now() / 1000 - Number(time)) > OLDEST_S + aheadS) return false;
  return (signatures ?? '').split(' ').some((it) => {
    const given = Buffer.from(it.replace(/^v1,/, ''), 'base64');
    return given.length === expected.length && timingSafeEqual(given, expected);
  });
}

function listen(): void {
  server.listen(port, '127.0.0.1', () => {
    ({ port } = server.address() as AddressInfo);
    tell({ type: 'up', port });
  });
}

function obey(command: Command): void {
  switch (command.do) {
    case 'know':
      secrets.set(command.name, command.secret);
      break;
    case 'script':
      scripts.set(command.name, command.behaviours);
      if (command.afterwards) lasting.set(command.name, command.afterwards);
      else lasting.delete(command.name);
      break;
    case 'ahead':
      aheadS = command.seconds;
      break;
    case 'release':
      for (const go of held) go();
      held.clear();
      break;
    case 'down':
      server.close(() => tell({ type: 'down' }));
      server.closeAllConnections();
      return;
    case 'up':
      listen();
      return;
  }
  tell({ type: 'done' });
}

createInterface({ input: process.stdin })
  .on('line', (line) => obey(JSON.parse(line) as Command))
  .on('close', () => process.exit(0));
listen();
