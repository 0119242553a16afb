import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { TraceHop, TraceView } from '../../host/api/operator-contract.ts';
import { openWorld, type World } from '../world/host.ts';

async function hop(world: World, id: string, what: TraceHop['what']): Promise<TraceHop> {
  const { hops } = (await world.call<TraceView>('GET', `/v1/trace/${id}`)).body;
  const found = hops.find((it) => it.what === what);
  assert.ok(found, `no ${what} in ${JSON.stringify(hops, null, 1)}`);
  return found;
}

test('a row that the host refused is shown with its reason', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  await world.reply('a', '@reply warm');
  const chat = world.chat('a');
  const id = await world.send('a', '@slow 60000');
  await chat.until((events) => events.find((it) => it.type === 'progress' && it.state === 'thinking'));
  const dispatch = (await hop(world, id, 'routed')).dispatch ?? '';
  const { folder, cursor } = await world.session('a');
  const file = new DatabaseSync(join(folder, 'out', 'outbound.db'), { timeout: 5_000 });
  file.exec('begin immediate');
  file
    .prepare(
      `insert into messages_out (seq, id, run, turn, answers, kind, destination, thread, content, timestamp)
       values (?, 'forged', 1, 't', ?, 'message', 'elsewhere', null, '{"text":"secret"}', '2026-01-01T00:00:00.000Z')`,
    )
    .run(cursor + 2, JSON.stringify([dispatch]));
  file.prepare('update meta set seq_high = ?').run(cursor + 2);
  file.exec('commit');
  file.close();
  await world.reply('a', '/stop');
  const refused = await hop(world, id, 'refused');
  assert.match(refused.text, /^#\d+ for "elsewhere": .*no destination named "elsewhere"/);
  assert.equal(refused.body, 'secret');
  chat.close();
});

test('what an agent writes to nobody is cut and counted, and rows that claim one number stop nothing', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  await world.reply('a', '@reply warm');
  const { id: session, folder, cursor } = await world.session('a');
  const file = new DatabaseSync(join(folder, 'out', 'outbound.db'), { timeout: 5_000 });
  file.exec('begin immediate');
  const insert = file.prepare(
    `insert into messages_out (seq, id, run, turn, answers, kind, destination, thread, content, timestamp)
     values (?, ?, 1, 't', '[]', 'scratch', null, null, ?, '2026-01-01T00:00:00.000Z')`,
  );
  const text = 'ä'.repeat(LIMITS.unsentBytes);
  let seq = cursor;
  for (let n = 0; n < LIMITS.unsentPerSession + 10; n++) insert.run((seq += 2), `s${n}`, JSON.stringify({ text }));
  insert.run((seq += 2), 'bad', 'no json');
  file.prepare(`insert into processing_ack values (?, 'x', 1, 'done', ?)`).run(seq, 'y'.repeat(5000));
  file.prepare('update meta set seq_high = ?').run(seq);
  file.exec('commit');
  file.close();
  assert.equal(await world.reply('a', '@reply on it goes'), 'on it goes');
  await world.end('SIGTERM');
  const central = new DatabaseSync(join(world.home, 'central.db'), { readOnly: true });
  const rows = central.prepare('select seq, kind, text from unsent where session_id = ? order by seq').all(session);
  central.close();
  assert.equal(rows.length, LIMITS.unsentPerSession);
  assert.deepEqual([rows.at(-1)?.seq, rows.at(-1)?.kind, rows.at(-2)?.kind], [seq, 'unreadable', 'scratch']);
  assert.equal(Buffer.byteLength(String(rows[0]?.text)), LIMITS.unsentBytes);
});
