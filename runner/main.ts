/** `runner.js RUN BASE LABEL [--recover]`: one run of one session, until SIGTERM or until the host is gone. */
import { makeDurable } from '@halfdoor/protocol/durable';
import { isFault } from '@halfdoor/protocol/fault';
import { connectBell, heartbeatFile, InboundReader, OutboundWriter, progressFile } from '@halfdoor/protocol/runner';
import { readPage } from './page.ts';
import { loadProvider } from './providers/index.ts';
import { searchBy } from './search.ts';
import { serve, type Machine } from './serve.ts';
import { openWayOut } from './way-out.ts';

const EXIT = { ok: 0, failed: 1, usage: 2, fenced: 3 } as const;

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });
}

const machine: Machine = {
  openOutbound: (path, run) => new OutboundWriter(path, run, makeDurable()),
  durable: makeDurable(),
  openInbound: (path) => new InboundReader(path),
  heartbeatFile,
  progressFile,
  connectBell,
  loadProvider,
  openWayOut,
  readPage,
  search: searchBy,
  after: (ms, fn) => {
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
  sleep,
  newId: () => Bun.randomUUIDv7(),
  now: () => new Date().toISOString(),
  env: Object.fromEntries(Object.entries(process.env).filter((it): it is [string, string] => it[1] !== undefined)),
  onEnd: (end) => void process.on('SIGTERM', end),
};

async function main(argv: string[]): Promise<number> {
  const [run, base, label, flag] = argv;
  if (!run || !/^\d+$/.test(run) || !base || !label || (flag !== undefined && flag !== '--recover')) {
    process.stderr.write('usage: runner RUN BASE LABEL [--recover]\n');
    return EXIT.usage;
  }
  try {
    await serve({ run: Number(run), base, recover: flag !== undefined }, machine);
    return EXIT.ok;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return isFault(error, 'fenced') ? EXIT.fenced : EXIT.failed;
  }
}

void main(process.argv.slice(2)).then((code) => process.exit(code));
