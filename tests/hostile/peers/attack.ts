/** `bun attack.ts VERB …`: what somebody who has taken over an agent does with its way out. Prints what came of it, one line. */
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

const NET = '/s/run/net.sock';

const open = (): Socket => connect({ path: NET, allowHalfOpen: true }).on('error', () => undefined);
const ask = (target: string): string => `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`;
const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** The answer to what was written: its first line, or that the connection was closed. */
function answered(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const take = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      if (!text.includes('\r\n\r\n')) return;
      socket.off('data', take);
      resolve(text.slice(0, text.indexOf('\r\n')));
    };
    socket.on('data', take);
    for (const end of ['end', 'close', 'error'] as const) socket.once(end, () => resolve('closed'));
  });
}

const isOpen = (line: string): boolean => line.startsWith('HTTP/1.1 200');

/** All that comes until the other side has said everything. */
function rest(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    for (const end of ['end', 'close', 'error'] as const) socket.once(end, () => resolve(text));
  });
}

async function say(text: string): Promise<string> {
  const socket = open();
  socket.write(text);
  const line = await answered(socket);
  socket.destroy();
  return line;
}

/** Every head in all that comes back for several requests in one write. */
async function sayAll(text: string): Promise<string> {
  const socket = open();
  const all = rest(socket);
  socket.write(text);
  return ((await all).match(/HTTP\/1\.1 \d+ [^\r]*/g) ?? ['closed']).join(' | ');
}

async function browse(target: string, servername: string): Promise<string> {
  const socket = open();
  socket.write(ask(target));
  const line = await answered(socket);
  if (!isOpen(line)) return line;
  return new Promise((resolve) => {
    let text = '';
    const secure = connectTls({ socket, servername, rejectUnauthorized: false }, () =>
      secure.write(`GET / HTTP/1.1\r\nHost: ${servername}\r\nX-Api-Key: placeholder\r\nConnection: close\r\n\r\n`),
    );
    secure.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
    const over = (): void => resolve(text === '' ? 'cut off' : (text.split('\r\n\r\n')[1] ?? text));
    for (const end of ['end', 'close', 'error'] as const) secure.once(end, over);
  });
}

/** Writes bytes of its own through a tunnel, in pieces; whether an echo comes back. */
async function raw(target: string, hex: string, piece: string): Promise<string> {
  const socket = open();
  socket.write(ask(target));
  const line = await answered(socket);
  if (!isOpen(line)) return line;
  const bytes = Buffer.from(hex, 'hex');
  const echo = new Promise<string>((resolve) => {
    socket.on('data', (chunk: Buffer) => resolve(chunk[0] === 21 ? 'cut off' : 'echoed'));
    for (const end of ['end', 'close', 'error'] as const) socket.once(end, () => resolve('cut off'));
  });
  const size = Number(piece) || bytes.length;
  for (let at = 0; at < bytes.length; at += size) {
    await new Promise<void>((resolve) => socket.write(bytes.subarray(at, at + size), () => resolve()));
  }
  const said = await echo;
  socket.destroy();
  return said;
}

/** Opens as many tunnels as it is given, up to `most`, and keeps them. Ends early once it has more than `enough`. */
async function hoard(target: string, most: string, enough: string): Promise<string> {
  const held: Socket[] = [];
  const one = async (): Promise<void> => {
    const socket = open();
    socket.write(ask(target));
    if (isOpen(await answered(socket))) held.push(socket);
    else socket.destroy();
  };
  for (let n = 0; n < Number(most) && held.length <= Number(enough); n += 100) {
    await Promise.all(Array.from({ length: 100 }, one));
  }
  return held.length > Number(enough) ? `more than ${enough}` : `${held.length}`;
}

/** One after the other, ten at a time; how many were answered. */
async function flood(text: string, times: string): Promise<string> {
  let left = Number(times);
  let answers = 0;
  const worker = async (): Promise<void> => {
    while (left-- > 0) if ((await say(text)) !== 'closed') answers += 1;
  };
  await Promise.all(Array.from({ length: 10 }, worker));
  return String(answers);
}

/** Says the first part, says that it waits, and goes on when it is told to. */
async function dawdle(first: string, second: string): Promise<string> {
  const socket = open();
  const before = first.startsWith('CONNECT') && first.endsWith('\r\n\r\n') ? answered(socket) : null;
  socket.write(first);
  if (before) await before;
  const line = answered(socket);
  print('waiting');
  await new Promise<void>((resolve) => process.stdin.once('data', () => resolve()));
  if (second === '') return socket.destroyed || socket.readableEnded ? 'closed' : 'still open';
  socket.write(second);
  return line;
}

const VERBS: Readonly<Record<string, (...words: string[]) => Promise<string>>> = {
  ...{ say, browse, raw, hoard, flood, dawdle },
  'say-all': sayAll,
};

const [verb = '', ...words] = process.argv.slice(2);
print((await VERBS[verb]?.(...words)) ?? `no verb ${verb}`);
process.exit(0);
