/**
 * The bell: a stream Unix socket. The host listens, the runner connects; one byte either way means "look". Bytes carry
 * no data, connecting counts as a ring, the end of the stream means the other side is gone. Losing a ring loses nothing
 * but time: behind it stands the poll of whoever listens.
 */
import { lstatSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { Fault } from './fault.ts';
import { LIMITS } from './limits.ts';

const RING = Buffer.from([1]);

export type BellHost = {
  /** Rings every connected runner. */
  ring(): void;
  /** Hangs up and removes the socket. No look follows. */
  close(): Promise<void>;
};

/**
 * Listens at `path`. `onRing` is called at most once in 5 ms, however many ring and connect, and always once after the
 * last ring; a socket that rang is not read for 5 ms, so that a flood costs its sender, not the host. At most 4
 * connections. A socket that a dead host of the same user left at `path` is replaced. Rejects with `path-too-long`
 * (Linux: 107 bytes), `busy` when somebody listens there, or the system's own error.
 */
export async function listenBell(path: string, onRing: () => void): Promise<BellHost> {
  checkLength(path);
  const sockets = new Set<Socket>();
  const look = paced(onRing);
  const server = createServer((socket) => {
    // A peer may vanish at any moment; its end is told by 'close'.
    socket.on('error', () => socket.destroy());
    if (sockets.size >= LIMITS.bellConnections) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    attend(socket, look.ask, () => sockets.delete(socket));
  });
  await listen(server, path).catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE') throw error;
    await removeStale(path);
    await listen(server, path);
  });
  // A connection that could not be accepted is the peer's loss: the poll stands behind the bell.
  server.on('error', () => undefined);
  return {
    ring: () => sockets.forEach(send),
    close: () =>
      new Promise((resolve) => {
        look.stop();
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function checkLength(path: string): void {
  if (Buffer.byteLength(path) <= LIMITS.socketPathBytes) return;
  throw new Fault(
    'path-too-long',
    `socket path is over ${LIMITS.socketPathBytes} bytes: ${path}`,
    'Set XDG_RUNTIME_DIR to a shorter folder.',
  );
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Removes our own socket that nobody listens on. Two hosts cannot race here: the home is locked by one. */
async function removeStale(path: string): Promise<void> {
  const found = lstatSync(path);
  if (!found.isSocket() || found.uid !== process.getuid?.()) {
    throw new Fault('cannot-open', `${path} is not a socket of this user`, 'Remove it, then start Halfdoor again.');
  }
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve('answers');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  if (answer !== 'ECONNREFUSED') {
    throw new Fault('busy', `somebody listens at ${path} already`, 'Stop the other host: ./halfdoor stop.');
  }
  unlinkSync(path);
}

/** At once when 5 ms have passed since the last call, else when they have. */
function paced(call: () => void): { ask(): void; stop(): void } {
  let quiet: NodeJS.Timeout | undefined;
  let again = false;
  let stopped = false;
  const ask = (): void => {
    if (stopped) return;
    if (quiet !== undefined) {
      again = true;
      return;
    }
    again = false;
    quiet = setTimeout(() => {
      quiet = undefined;
      if (again) ask();
    }, LIMITS.bellPauseMs);
    call();
  };
  const stop = (): void => {
    stopped = true;
    clearTimeout(quiet);
  };
  return { ask, stop };
}

function attend(socket: Socket, onRing: () => void, onGone: () => void): void {
  let pause: NodeJS.Timeout | undefined;
  socket.on('data', () => {
    socket.pause();
    clearTimeout(pause);
    pause = setTimeout(() => socket.resume(), LIMITS.bellPauseMs);
    onRing();
  });
  socket.on('end', () => socket.destroy());
  socket.on('close', () => {
    clearTimeout(pause);
    onGone();
  });
  onRing();
}

/** A ring that is still on its way says it already; so a peer that does not read costs no memory. */
function send(socket: Socket): void {
  if (!socket.destroyed && socket.writableLength === 0) socket.write(RING);
}

export type BellRunner = {
  /** False when the host is gone. */
  ring(): boolean;
  /** Resolves when the host is gone or the bell was closed. */
  gone: Promise<void>;
  close(): void;
};

/** Connects to the host's bell. `onRing` is called once after connecting too: look then. Rejects when nobody listens. */
export async function connectBell(path: string, onRing: () => void): Promise<BellRunner> {
  checkLength(path);
  const socket = connect(path);
  // Before the connection stands: a host that hangs up at once is gone in the same tick.
  const gone = new Promise<void>((resolve) => {
    socket.on('end', () => socket.destroy());
    socket.on('close', () => resolve());
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => socket.destroy());
  socket.on('data', onRing);
  onRing();
  const ring = (): boolean => {
    send(socket);
    return !socket.destroyed;
  };
  return { ring, gone, close: () => void socket.destroy() };
}
