/** `node host/main.ts`: one host for one home, until SIGTERM, SIGINT or POST /v1/stop. */
import { makeDurable } from '@halfdoor/protocol/durable';
import { LIMITS } from '@halfdoor/protocol/limits';
import { systemClock } from './clock.ts';
import { HomeLocked } from './db/lock.ts';
import { homeAt, HOME_TAKEN_EXIT } from './home.ts';
import { openHost, type Host } from './host.ts';
import { closeInherited } from './inherited.ts';
import { errorText, makeLog } from './log.ts';
import { rotating } from './log-file.ts';

const env = process.env;
const uid = process.getuid?.() ?? 0;
const durable = makeDurable();
const write = rotating(
  {
    fd: 1,
    path: homeAt(env.HALFDOOR_HOME ?? '').log,
    bytes: LIMITS.logBytes,
    files: LIMITS.logFiles,
    write: (line) => process.stdout.write(line),
  },
  durable,
);
const log = makeLog(write, systemClock.now);

function needed(name: string): string {
  const value = env[name];
  if (value) return value;
  return fail(`${name} is not set`, 'Start the host with ./halfdoor start.');
}

function fail(error: string, next: string, code = 1): never {
  process.stderr.write(`${error}\n${next}\n`);
  process.exit(code);
}

if (uid === 0) fail('the host never runs as root', 'Start it with ./halfdoor start: it uses a user of its own.');

closeInherited();

let host: Host | null = null;
let ending = false;

async function end(): Promise<void> {
  if (ending || host === null) return;
  ending = true;
  log.info('ending');
  await host.close();
  log.info('ended');
  process.exit(0);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void end());
process.on('unhandledRejection', (error) => log.error('unhandled rejection', { error: errorText(error) }));

try {
  host = await openHost({
    root: needed('HALFDOOR_HOME'),
    bun: needed('HALFDOOR_BUN'),
    dist: needed('HALFDOOR_DIST'),
    keys: { anthropic: env.ANTHROPIC_API_KEY ?? null, openai: env.OPENAI_API_KEY ?? null },
    env,
    uid,
    pid: process.pid,
    clock: systemClock,
    log,
    durable,
    shutDown: () => void end(),
  });
  process.stdout.write('ready\n');
} catch (error) {
  if (error instanceof HomeLocked)
    fail(error.message, 'Use the one that runs, or stop it: ./halfdoor stop.', HOME_TAKEN_EXIT);
  fail(`the host could not start: ${errorText(error)}`, 'Mend what it names and start again.');
}
