/** One run of one session, from taking its file over to its end. What it needs of the machine is an argument. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Durable } from '@halfdoor/protocol/durable';
import { shownName } from '@halfdoor/protocol/file';
import { LIMITS } from '@halfdoor/protocol/limits';
import type {
  BellRunner,
  Heartbeat,
  InboundReader,
  LineFile,
  OutboundWriter,
  Progress,
} from '@halfdoor/protocol/runner';
import { makeInside } from './inside.ts';
import { Intake } from './intake.ts';
import { Life } from './life.ts';
import { Loop } from './loop.ts';
import { OutFiles } from './out-files.ts';
import { park } from './park.ts';
import { Preview } from './preview.ts';
import type { AgentProvider, ProviderDeps, Tool } from './providers/provider.ts';
import { Speaker } from './speaker.ts';
import { makeTools } from './tools/index.ts';
import type { ReadPage } from './tools/web-fetch.ts';
import type { Found, Search } from './tools/web-search.ts';
import type { Turn } from './turn.ts';
import { CERTIFICATES, noWayOut, type WayOut } from './way-out.ts';

type Line<T extends object> = Pick<LineFile<T>, 'write' | 'close'>;

/** Everything a run has from outside its own logic. */
export type Machine = {
  openOutbound(path: string, run: number): OutboundWriter;
  durable: Durable;
  openInbound(path: string): InboundReader;
  heartbeatFile(path: string): Line<Heartbeat>;
  progressFile(path: string): Line<Progress>;
  connectBell(path: string, onRing: () => void): Promise<BellRunner>;
  loadProvider(name: string, deps: ProviderDeps): Promise<AgentProvider>;
  /** The proxy of everything that is started inside, in front of the session's socket. */
  openWayOut(netSocket: string): Promise<WayOut>;
  search(netSocket: string, query: string): Promise<Found[]>;
  readPage(way: { proxy: string | null; certificates: string }, url: string): Promise<string>;
  /** Calls `fn` after `ms`, once; returns what cancels it. */
  after(ms: number, fn: () => void): () => void;
  /** Ends early when `signal` is aborted; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  newId(): string;
  now(): string;
  env: Record<string, string>;
  /** `end` is to be called when the run is asked to end. */
  onEnd(end: () => void): void;
};

export type Run = { run: number; base: string; recover: boolean };

/** Resolves when the run has ended by itself. Throws what no turn can settle: `fenced`, a broken file. */
export async function serve({ run, base, recover }: Run, machine: Machine): Promise<void> {
  // Opening takes back what a dead run left half written, and takes the file over for this run.
  const outbound = machine.openOutbound(join(base, 'out', 'outbound.db'), run);
  try {
    if (!recover) await converse(run, base, outbound, machine);
  } finally {
    outbound.close();
  }
}

async function converse(run: number, base: string, outbound: OutboundWriter, machine: Machine): Promise<void> {
  const { newId, now, sleep, after } = machine;
  const inbound = machine.openInbound(join(base, 'in', 'inbound.db'));
  const heartbeat = machine.heartbeatFile(join(base, 'out', 'heartbeat'));
  const progress = machine.progressFile(join(base, 'out', 'progress'));
  let bell: BellRunner | null = null;
  const ring = (): void => void bell?.ring();
  const life = new Life({ heartbeat, progress, run, now, ring });
  const intake = new Intake(inbound, base, (id) => outbound.isSettled(id));
  const speaker = new Speaker({ outbound, intake, newId, now, ring });
  const { provider: name, model, api, folder } = intake.routing();
  const answering = () => {
    const { turn } = loop;
    if (turn === null || turn.aborted) throw new Error('nothing is being answered now');
    return turn;
  };
  const cwd = folder?.inside ?? join(base, 'work');
  const files = new OutFiles({
    ...{ folder: join(base, 'out', 'files'), durable: machine.durable, cwd },
    roots: [join(base, 'work'), ...(folder === null ? [] : [folder.inside])],
    awaited: () => outbound.filesAbove(intake.routing().seqFloor),
  });
  files.clean();
  const netSocket = join(base, 'run', 'net.sock');
  // Without a loopback there is work enough that needs none.
  const wayOut = await machine.openWayOut(netSocket).catch(() => noWayOut);
  const way = { proxy: wayOut.proxy, certificates: CERTIFICATES };
  const tools = toolsOf({
    ...{ answering, files, speaker },
    readPage: (url) => machine.readPage(way, url),
    search: (query) => machine.search(netSocket, query),
  });
  const env = { ...machine.env, ...wayOut.env };
  const inside = makeInside({ base, inbound, outbound, intake, speaker, saying: () => answering().saying });
  const { refusals } = wayOut;
  const given = { tools, model, api, netSocket, env, refusals, inside, sleep, randomId: newId };
  const provider = await machine.loadProvider(name, given);
  const loop: Loop = new Loop({
    ...{ outbound, intake, life, speaker, provider, sleep, newId, ring, after },
    preview: new Preview({ life, after }),
    park: (saying, resetsAt, reason) => park({ outbound, intake, newId, now, ring }, saying, resetsAt, reason),
    continuationKey: `continuation:${name}`,
    ownInstructions: () => readOr(join(base, 'agent', 'instructions.md'), ''),
    cwd,
  });
  const endBeats = beats(life, after);
  machine.onEnd(() => void loop.end());
  // Connecting is a ring before there is a bell to answer with: the loop's own first look takes in what it is about.
  const onRing = (): void => {
    if (bell !== null) loop.look();
  };
  bell = await machine.connectBell(join(base, 'run', 'bell.sock'), onRing).catch(() => null);
  // The end of the stream means that the host is gone: nobody would collect what is said from here on.
  void bell?.gone.then(() => loop.end());
  try {
    await loop.run();
  } finally {
    endBeats();
    wayOut.close();
    bell?.close();
    inbound.close();
    heartbeat.close();
    progress.close();
  }
}

type ToolParts = { answering(): Turn; files: OutFiles; speaker: Speaker; readPage: ReadPage; search: Search };

function toolsOf({ answering, files, speaker, ...web }: ToolParts): Tool[] {
  return makeTools({
    ...web,
    send: (to, text) => {
      const turn = answering();
      const sent = speaker.say(turn.saying, to, text);
      turn.noteSaid();
      return sent;
    },
    sendFile: (to, path, caption) => {
      const turn = answering();
      const { name: copy, bytes } = files.place(path);
      const sent = speaker.say(turn.saying, to, caption, [copy]);
      turn.noteSaid();
      return { ...sent, name: shownName(copy), bytes };
    },
  });
}

/** Says at once and every `LIMITS.beatMs` that this run lives; returns what ends it. */
function beats(life: Life, after: Machine['after']): () => void {
  let cancel = (): void => {};
  const beat = (): void => {
    life.beat();
    cancel = after(LIMITS.beatMs, beat);
  };
  beat();
  return () => cancel();
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return otherwise;
  }
}
