/** `runner.js RUN BASE LABEL [--recover]`: one run of one session, until SIGTERM or until the host is gone. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDurable } from '@halfdoor/protocol/durable';
import { isFault } from '@halfdoor/protocol/fault';
import { LIMITS } from '@halfdoor/protocol/limits';
import {
  connectBell,
  heartbeatFile,
  InboundReader,
  OutboundWriter,
  progressFile,
  type BellRunner,
} from '@halfdoor/protocol/runner';
import { makeInside } from './inside.ts';
import { Intake } from './intake.ts';
import { Life } from './life.ts';
import { Loop } from './loop.ts';
import { loadProvider } from './providers/index.ts';
import { Speaker } from './speaker.ts';
import { Preview } from './preview.ts';
import { makeTools } from './tools/index.ts';

const EXIT = { ok: 0, failed: 1, usage: 2, fenced: 3 } as const;

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}

function after(ms: number, fn: () => void): () => void {
  const timer = setTimeout(fn, ms);
  return () => clearTimeout(timer);
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}

const newId = (): string => Bun.randomUUIDv7();
const now = (): string => new Date().toISOString();

async function serve(run: number, base: string, outbound: OutboundWriter): Promise<void> {
  const inbound = new InboundReader(join(base, 'in', 'inbound.db'));
  const heartbeat = heartbeatFile(join(base, 'out', 'heartbeat'));
  const progress = progressFile(join(base, 'out', 'progress'));
  let bell: BellRunner | null = null;
  const ring = (): void => void bell?.ring();
  const life = new Life({ heartbeat, progress, run, now, ring });
  const intake = new Intake(inbound, (id) => outbound.isSettled(id));
  const speaker = new Speaker({ outbound, intake, newId, now, ring });
  const routing = intake.routing();
  const answering = () => {
    const { turn } = loop;
    if (turn === null || turn.aborted) throw new Error('nothing is being answered now');
    return turn;
  };
  const tools = makeTools({
    send: (to, text) => {
      const turn = answering();
      const sent = speaker.say(turn.saying, to, text);
      turn.noteSaid();
      return sent;
    },
  });
  const cwd = routing.folder?.inside ?? join(base, 'work');
  const env = Object.fromEntries(
    Object.entries(process.env).filter((it): it is [string, string] => it[1] !== undefined),
  );
  const netSocket = join(base, 'run', 'net.sock');
  const { model, api } = routing;
  const inside = makeInside({ base, inbound, outbound, intake, speaker, saying: () => answering().saying });
  const deps = { tools, model, api, netSocket, env, inside, sleep, randomId: newId };
  const provider = await loadProvider(routing.provider, deps);
  const ownInstructions = (): string => readOr(join(base, 'agent', 'instructions.md'), '');
  const continuationKey = `continuation:${routing.provider}`;
  const loop: Loop = new Loop({
    outbound,
    intake,
    life,
    preview: new Preview({ life, after }),
    speaker,
    provider,
    continuationKey,
    ownInstructions,
    cwd,
    sleep,
    newId,
    ring,
    after,
  });
  const beats = setInterval(() => life.beat(), LIMITS.beatMs);
  process.on('SIGTERM', () => void loop.end());
  life.beat();
  // Connecting is a ring before there is a bell to answer with: the loop's own first look takes in what it is about.
  const onRing = (): void => {
    if (bell !== null) loop.look();
  };
  bell = await connectBell(join(base, 'run', 'bell.sock'), onRing).catch(() => null);
  // The end of the stream means that the host is gone: nobody would collect what is said from here on.
  void bell?.gone.then(() => loop.end());
  try {
    await loop.run();
  } finally {
    clearInterval(beats);
    bell?.close();
    inbound.close();
    heartbeat.close();
    progress.close();
  }
}

async function main(argv: string[]): Promise<number> {
  const [run, base, label, flag] = argv;
  if (!run || !/^\d+$/.test(run) || !base || !label || (flag !== undefined && flag !== '--recover')) {
    process.stderr.write('usage: runner RUN BASE LABEL [--recover]\n');
    return EXIT.usage;
  }
  try {
    // Opening takes back what a dead run left half written, and takes the file over for this run.
    const outbound = new OutboundWriter(join(base, 'out', 'outbound.db'), Number(run), makeDurable());
    try {
      if (flag === undefined) await serve(Number(run), base, outbound);
    } finally {
      outbound.close();
    }
    return EXIT.ok;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return isFault(error, 'fenced') ? EXIT.fenced : EXIT.failed;
  }
}

void main(process.argv.slice(2)).then((code) => process.exit(code));
