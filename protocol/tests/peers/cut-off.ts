/** Is killed in mid-transaction, once part of it is in the database file: leaves a hot journal. */
import { OUTBOUND_VERSION } from '../../outbound.ts';
import { SessionFile } from '../../sqlite.ts';

const input = JSON.parse(process.argv[2] ?? '') as { outbound: string };
const file = new SessionFile(input.outbound, { access: 'runner-writes', timeoutMs: 5_000, version: OUTBOUND_VERSION });
file.write(() => {
  file.run('update meta set seq_high = 4711');
  file.run('insert into session_state (key, value) values (?, ?)', 'half', 'x'.repeat(8 * 1024 * 1024));
  process.kill(process.pid, 'SIGKILL');
});
