import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeDurable, type DurableStep } from '@halfdoor/protocol/durable';
import { LIMITS } from '@halfdoor/protocol/limits';
import { HeldClock } from '../../../tests/fakes/held-clock.ts';
import { Central } from '../../db/central.ts';
import { makeLog } from '../../log.ts';
import { cutoffAt, STEPS } from '../../retention/forget.ts';
import { EgressRecord, movedSince } from '../record.ts';
import type { Noted } from '../way-out.ts';

const AT = '2026-01-02T03:04:05.000Z';
const ONE: Noted = {
  ...{ sessionId: 's1', agentId: 'a1', agent: 'maya', kind: 'tunnel', host: 'a.example', port: 443 },
  ...{ verdict: 'deny', reason: 'not-allowed', up: 1, down: 2, ms: 3, at: AT },
};

async function stage(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'hd-record-'));
  const steps: DurableStep[] = [];
  const durable = makeDurable((step, edge) => void (edge === 'after' && steps.push(step)));
  const clock = new HeldClock();
  const central = await Central.open(join(folder, 'central.db'), durable, clock);
  t.after(async () => {
    await central.close();
    rmSync(folder, { recursive: true });
  });
  const said: string[] = [];
  const log = makeLog(
    (line) => void said.push(line),
    () => clock.now(),
    (text) => text,
  );
  const record = new EgressRecord({ central, clock, log });
  const rows = () => central.read.selectFrom('egress_log').selectAll().orderBy('n').execute();
  steps.length = 0;
  return { central, clock, record, rows, steps, said };
}

test('a flood of the same request is one row, kept in one transaction, later', async (t) => {
  const { clock, record, rows, steps } = await stage(t);
  for (let n = 0; n < 10_000; n++) record.note(ONE);
  record.note({ ...ONE, reason: 'not-public' });
  assert.deepEqual(steps, [], 'whoever asks waits for none of it');
  await clock.pass(1_000);
  await record.keep();
  const kept = await rows();
  assert.deepEqual(
    kept.map(({ host, reason, times, up, down, ms }) => ({ host, reason, times, up, down, ms })),
    [
      { host: 'a.example', reason: 'not-allowed', times: 10_000, up: 10_000, down: 20_000, ms: 30_000 },
      { host: 'a.example', reason: 'not-public', times: 1, up: 1, down: 2, ms: 3 },
    ],
  );
  assert.deepEqual(steps, ['egress-log']);
});

test('a flood of different ones is counted, and an agent keeps its newest rows only', async (t) => {
  const { central, record, rows, said } = await stage(t);
  for (let n = 0; n < 600; n++) record.note({ ...ONE, host: `h${n}.example` });
  record.note({ ...ONE, sessionId: 's2', agentId: 'a2', host: 'of-another.example' });
  await record.keep();
  assert.equal((await rows()).length, 101);
  assert.ok(said.some((line) => line.includes('"dropped":500')));
  for (let batch = 0; batch < LIMITS.egressRowsPerAgent / 100; batch++) {
    for (let n = 0; n < 100; n++) record.note({ ...ONE, host: `b${batch}-${n}.example` });
    await record.keep();
  }
  const kept = await rows();
  assert.equal(kept.filter((row) => row.agent_id === 'a1').length, LIMITS.egressRowsPerAgent);
  assert.equal(kept.at(-1)?.host, `b${LIMITS.egressRowsPerAgent / 100 - 1}-99.example`);
  assert.equal(kept[0]?.host, 'of-another.example');
  assert.equal(await movedSince(central, 's1', AT), 3 * LIMITS.egressRowsPerAgent);
  assert.equal(await movedSince(central, 's1', '2026-01-02T03:04:05.001Z'), 0);
});

test('a row past its age is forgotten', async (t) => {
  const { central, record, rows } = await stage(t);
  record.note({ ...ONE, at: '2026-01-01T00:00:00.000Z' });
  record.note({ ...ONE, host: 'b.example', at: '2026-01-20T00:00:00.000Z' });
  await record.keep();
  const cutoff = cutoffAt(Date.parse('2026-02-10T00:00:00.000Z'));
  for (const step of STEPS) await central.commit('forget', (tx) => step(tx, cutoff, ''));
  assert.deepEqual(
    (await rows()).map((row) => row.host),
    ['b.example'],
  );
});
