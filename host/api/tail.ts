/** GET /v1/sessions/:id/tail: what goes in and out of a session; one JSON object a line. */
import type { ServerResponse } from 'node:http';
import type { Central } from '../db/central.ts';
import { Tail } from '../sessions/tail.ts';
import type { Signals } from '../signals.ts';
import type { TailEvent } from './operator-contract.ts';

export type TailDeps = { central: Central; signals: Signals; now(): string };

/** Past this much unread text the client is cut off. */
const UNREAD_BYTES = 8 * 1024 * 1024;

/** The last of it; with `follow` it goes on until the client leaves. */
export async function serveTail(
  deps: TailDeps,
  sessionId: string,
  follow: boolean,
  outgoing: ServerResponse,
): Promise<void> {
  outgoing.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  const tail = new Tail(deps.central.read, sessionId);
  const write = (event: TailEvent): void => {
    if (outgoing.destroyed) return;
    outgoing.write(`${JSON.stringify(event)}\n`);
    if (outgoing.writableLength > UNREAD_BYTES) outgoing.destroy();
  };
  // What cannot be read ends the stream: the client sees it, and asks again if it wants to.
  const look = oneAtATime(() =>
    tail.next().then(
      (events) => events.forEach(write),
      () => void outgoing.destroy(),
    ),
  );
  const ends = follow ? listen(deps, sessionId, look, write) : [];
  outgoing.on('close', () => ends.forEach((end) => end()));
  await look();
  if (!follow) outgoing.end();
}

function listen(
  { signals, now }: TailDeps,
  sessionId: string,
  look: () => Promise<void>,
  write: (event: TailEvent) => void,
): (() => void)[] {
  const ours = (it: { sessionId: string }): void => void (it.sessionId === sessionId && look());
  return [
    signals.on('traffic', ours),
    signals.on('session', ours),
    // Whose events they are is not said: a look that finds nothing costs little.
    signals.on('settled', () => void look()),
    signals.on('progress', ({ sessionId: whose, progress: { run, state, detail } }) => {
      if (whose === sessionId) write({ type: 'progress', at: now(), run, state, detail });
    }),
  ];
}

/** A call during a call makes one more after it; all of them resolve when nothing is left to look at. */
function oneAtATime(look: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | null = null;
  let again = false;
  return () => {
    again = true;
    running ??= (async () => {
      while (again) {
        again = false;
        await look();
      }
      running = null;
    })();
    return running;
  };
}
