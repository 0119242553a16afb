/** What a program asks must not cost more with what was said before: no query here reads a growing table from end to end. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { messageView } from '../../api/view.ts';
import { systemClock } from '../../clock.ts';
import { Central } from '../../db/central.ts';
import { homeAt } from '../../home.ts';
import { filesOf, isOfChat, knownAs, saidIn, sayerOf } from '../queries.ts';

const AT = '2026-01-02T03:04:05.678Z';

test('every query of the http channel goes by an index, what was said in a chat by its own', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hd-central-'));
  const path = join(folder, 'central.db');
  const central = await Central.open(path, makeDurable(), systemClock);
  const plain = new DatabaseSync(path, { readOnly: true });
  t.after(async () => {
    plain.close();
    await central.close();
    rmSync(folder, { recursive: true });
  });
  await central.commit('channel', async (tx) => {
    const agent = { id: 'a1', name: 'a', provider: 'mock', sandbox: 'process', created_at: AT } as const;
    await tx.insertInto('agents').values(agent).execute();
    const event = { id: 'e1', channel: 'http', chat: 'ops', platform_id: 'k', kind: 'message', version: 0 } as const;
    await tx
      .insertInto('events')
      .values({ ...event, content: '{"text":"x"}', received_at: AT })
      .execute();
    const content = JSON.stringify({ type: 'message', text: 'hi' });
    const to = { channel: 'http', chat: 'ops', content, tries: 0, may_be_duplicate: 0, created_at: AT } as const;
    await tx
      .insertInto('deliveries')
      .values({ id: 'd1', agent_id: 'a1', state: 'delivered', ...to })
      .execute();
  });
  const prepared = t.mock.method(DatabaseSync.prototype, 'prepare');
  assert.equal((await knownAs(central.read, homeAt(folder), { channel: 'http', chat: 'ops', key: 'k' })).length, 1);
  assert.equal(await sayerOf(central.read, 'd1'), 'a');
  assert.deepEqual(
    (await saidIn(central.read, 'ops', 0, 10)).map((it) => it.text),
    ['hi'],
  );
  assert.deepEqual(await filesOf(central.read, 'ops', 'd1'), []);
  assert.equal(await isOfChat(central.read, 'ops', 's1'), false);
  assert.equal((await messageView(central.read, 'e1', { channel: 'http', chat: 'ops' }))?.status, 'no-reply');
  const queries = new Set(prepared.mock.calls.map((call) => String(call.arguments[0])));
  assert.ok(queries.size >= 8, [...queries].join('\n'));
  prepared.mock.restore();
  const plans = [...queries].map((query) => {
    const steps = plain.prepare(`explain query plan ${query}`).all() as { detail: string }[];
    return steps.map((it) => it.detail).join('\n');
  });
  for (const plan of plans) assert.doesNotMatch(plan, /^SCAN/m);
  const history = plans.find((it) => it.includes('deliveries_http'));
  assert.ok(history && !history.includes('TEMP B-TREE'), history);
});
