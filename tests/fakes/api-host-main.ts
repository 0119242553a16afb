/** The fake as a program in the place of host/main.ts: one host for one home, as the real one. */
import { HOME_TAKEN_EXIT } from '../../host/home.ts';
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ApiHost } from './api-host.ts';

const home = process.env.HALFDOOR_HOME ?? '';
mkdirSync(home, { recursive: true });
appendFileSync(join(home, 'starts'), `${process.pid}\n`);
if (process.env.HALFDOOR_FAKE_FAULT) {
  process.stderr.write(`${process.env.HALFDOOR_FAKE_FAULT}\n`);
  process.exit(1);
}
const lock = new DatabaseSync(join(home, 'lock.db'), { timeout: 0 });
try {
  lock.exec('begin exclusive');
} catch {
  process.stderr.write(`a host already runs on ${home}\n`);
  process.exit(HOME_TAKEN_EXIT);
}
writeFileSync(join(home, 'host.pid'), `${process.pid}\n`);
const host = await new ApiHost(home).open();
host.onStop = () => {
  // Named here, or it would be collected while the host runs, and the lock with it.
  lock.close();
  rmSync(join(home, 'host.pid'));
  process.exit(0);
};
process.stdout.write('ready\n');
