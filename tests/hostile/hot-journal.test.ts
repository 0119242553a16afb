// needs: userns
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openWorld } from '../world/host.ts';

/** Leaves a transaction half written in a file whose trigger never ends once the runner takes it over, and kills all. */
const TRAP = `
import { Database } from 'bun:sqlite';
import { readdirSync } from 'node:fs';
const db = new Database('/s/out/outbound.db');
for (const mode of ['exclusive', 'normal'])
  db.exec(\`pragma locking_mode = \${mode}; pragma journal_mode = persist; select count(*) from sqlite_schema\`);
const endless = 'with recursive c(x) as (select 1 union all select x + 1 from c) select x from c';
db.exec(\`create trigger t after update on meta begin select count(*) from (\${endless}); end\`);
db.exec('pragma cache_size = 5; begin immediate');
const insert = db.prepare('insert into session_state values (?, ?)');
for (let n = 0; n < 2000; n++) insert.run('k' + n, 'x'.repeat(1000));
for (const pid of readdirSync('/proc').filter((it) => /^[0-9]+$/.test(it) && it !== '1' && it !== String(process.pid)))
  process.kill(Number(pid), 'SIGKILL');
process.kill(process.pid, 'SIGKILL');
`;

test('a cut-off transaction that cannot be taken back ends in a word to the person, not in a wait for ever', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a', sandbox: 'bubblewrap' });
  await world.reply('a', '@reply warm');
  const { folder } = await world.session('a');
  writeFileSync(join(folder, 'work', 'trap.ts'), TRAP);
  const view = await world.ask('a', '@shell setsid /app/bun /s/work/trap.ts');
  assert.equal(view.status, 'failed');
  assert.match(view.error ?? '', /not what the host made/);
  await world.reply('a', '/new');
  assert.equal(await world.reply('a', '@reply back'), 'back');
});
