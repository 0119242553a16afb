/**
 * The bell: a stream Unix socket. The host listens, the runner connects; one byte either way means "look". Bytes carry
 * no data, connecting counts as a ring, the end of the stream means the other side is gone. Losing a ring loses nothing
 * but time: behind it stands the poll of whoever listens.
 */
import { connect, createServer, type Socket } from 'node:net';
import { Fault } from './fault.ts';
import { LIMITS } from './limits.ts';

const RING = Buffer.from([1]);

export type BellHost = {
  /** Rings every connected runner. */
  ring(): void;
  close(): Promise<void>;
};

/**
 * Listens at `path`. After each ring the socket is not read for 5 ms: a flood costs its sender, not the host. At most
 * 4 connections. Rejects with `path-too-long` (Linux: 107 bytes) or the system's own error.
 */
export async function listenBell(path: string, onRing: () => void): Promise<BellHost> {
  if (Buffer.byteLength(path) > LIMITS.socketPathBytes) {
    throw new Fault(
      'path-too-long',
      `socket path is over ${LIMITS.socketPathBytes} bytes: ${path}`,
      'Set XDG_RUNTIME_DIR to a shorter folder.',
    );
  }
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    if (sockets.size >= LIMITS.bellConnections) {
      socket.destroy();
      return;
    }
    sockets.add(socket);
    attend(socket, onRing, () => sockets.delete(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => resolve());
  });
  return {
    ring: () => sockets.forEach((socket) => socket.write(RING)),
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function attend(socket: Socket, onRing: () => void, onGone: () => void): void {
  let pause: NodeJS.Timeout | undefined;
  socket.on('error', () => socket.destroy());
  socket.on('data', () => {
    socket.pause();
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

export type BellRunner = {
  /** False when the host is gone. */
  ring(): boolean;
  /** Resolves when the host is gone or the bell was closed. */
  gone: Promise<void>;
  close(): void;
};

/** Connects to the host's bell. `onRing` is called once after connecting too: look then. Rejects when nobody listens. */
export async function connectBell(path: string, onRing: () => void): Promise<BellRunner> {
  const socket = connect(path);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => socket.destroy());
  socket.on('data', onRing);
  const gone = new Promise<void>((resolve) => {
    socket.on('end', () => socket.destroy());
    socket.on('close', () => resolve());
  });
  onRing();
  return { ring: () => !socket.destroyed && socket.write(RING), gone, close: () => void socket.destroy() };
}
