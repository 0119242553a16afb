/**
 * host/main.ts with another network behind it: HALFDOOR_TEST_OUTSIDE holds where names lead, as JSON {"name": port}. Each has
 * a public address to whoever checks it, and is served on that port of the loopback.
 */
import { connect } from 'node:net';
import { makeDurable } from '@halfdoor/protocol/durable';
import { systemClock } from '../../host/clock.ts';
import type { Outside } from '../../host/egress/outside.ts';
import { openHost } from '../../host/host.ts';
import { closeInherited } from '../../host/inherited.ts';
import { makeLog } from '../../host/log.ts';
import { Redactor } from '../../host/secrets/redact.ts';

const {
  HALFDOOR_HOME: root = '',
  HALFDOOR_BUN: bun = '',
  HALFDOOR_DIST: dist = '',
  HALFDOOR_TEST_OUTSIDE = '{}',
} = process.env;
const names = Object.entries(JSON.parse(HALFDOOR_TEST_OUTSIDE) as Record<string, number>);
const addressOf = (n: number): string => `93.184.216.${n + 1}`;

const outside: Outside = {
  resolve: (host) => Promise.resolve(names.flatMap(([name], n) => (name === host ? [addressOf(n)] : []))),
  dial: (address) => {
    const port = names.find((_, n) => addressOf(n) === address)?.[1] ?? 1;
    return connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  },
};

const say = (line: string): void => void process.stdout.write(line);

closeInherited();
process.umask(0o077);
const ended = Promise.withResolvers<void>();
const host = await openHost({
  ...{ root, bun, dist, environment: {}, redactor: new Redactor(), env: process.env, outside },
  uid: process.getuid?.() ?? 0,
  pid: process.pid,
  clock: systemClock,
  log: makeLog(say, systemClock.now, (text) => text),
  durable: makeDurable(),
  shutDown: () => ended.resolve(),
});
process.once('SIGTERM', () => ended.resolve());
say('ready\n');
await ended.promise;
await host.close();
process.exit(0);
