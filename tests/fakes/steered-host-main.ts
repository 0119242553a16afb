/** A whole host, as host/main.ts makes it, on a clock that its test steers. */
import { makeDurable } from '@halfdoor/protocol/durable';
import { systemOutside } from '../../host/egress/outside.ts';
import { openHost } from '../../host/host.ts';
import { makeLog } from '../../host/log.ts';
import { Redactor } from '../../host/secrets/redact.ts';
import { steeredBy } from './steered-clock.ts';

const { env } = process;
const redactor = new Redactor();
const clock = steeredBy(process.stdin, (line) => process.stdout.write(line));
const end = (): void => void host.close().then(() => process.exit(0));

const host = await openHost({
  root: env.HALFDOOR_HOME ?? '',
  bun: env.HALFDOOR_BUN ?? '',
  dist: env.HALFDOOR_DIST ?? '',
  environment: env.OPENAI_API_KEY ? { OPENAI_API_KEY: env.OPENAI_API_KEY } : {},
  redactor,
  env,
  uid: process.getuid?.() ?? 0,
  pid: process.pid,
  clock,
  outside: systemOutside,
  log: makeLog(
    (line) => process.stdout.write(line),
    () => clock.now(),
    (text) => redactor.text(text),
  ),
  durable: makeDurable(),
  shutDown: end,
});
process.on('SIGTERM', end);
process.stdout.write('ready\n');
