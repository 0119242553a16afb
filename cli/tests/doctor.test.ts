import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { CheckView } from '../../host/api/contract.ts';
import type { Finding } from '../../host/doctor/check.ts';
import { examine } from '../../tests/world/doctor.ts';
import { runCheck } from '../../host/doctor/check.ts';
import { judgeKey } from '../doctor/models.ts';
import { report } from '../doctor/report.ts';
import { judgeRuntimes } from '../doctor/runtimes.ts';
import { fakeHost } from './run-cli.ts';

/** What the doctor finds about models, with agents whose calls come to these. */
async function findingsOf(t: TestContext, checks: Readonly<Record<string, CheckView>>): Promise<Finding[]> {
  const host = await fakeHost(t);
  for (const [name, check] of Object.entries(checks)) {
    host.addAgent({ name, provider: 'direct', model: 'm' });
    host.checks.set(name, check);
  }
  return (await examine({ home: host.home })).findings.filter(({ id }) => id.startsWith('model:'));
}

test('a key that the provider refuses, an endpoint that is down: the words of the host, by agent', async (t) => {
  const found = await findingsOf(t, {
    right: { ok: true, ms: 3 },
    wrong: { ok: false, fault: 'the provider refused the key', next: './halfdoor secrets set OPENAI_API_KEY' },
    down: { ok: false, fault: 'http://127.0.0.1:1 is not reached.', next: './halfdoor agents get down' },
  });
  assert.deepEqual(found, [
    {
      id: 'model:wrong',
      severity: 'broken',
      what: 'The model of agent wrong does not answer: the provider refused the key.',
      next: './halfdoor secrets set OPENAI_API_KEY',
    },
    {
      id: 'model:down',
      severity: 'broken',
      what: 'The model of agent down does not answer: http://127.0.0.1:1 is not reached.',
      next: './halfdoor agents get down',
    },
  ]);
});

test('models that answer are nothing to tell', async (t) => {
  assert.deepEqual(await findingsOf(t, { one: { ok: true, ms: 3 }, two: { ok: true, ms: 0 } }), []);
});

test('a secret that is named and not there, or cannot be asked for', () => {
  const agent = { name: 'a', key: 'OPENAI_API_KEY' };
  const [found] = judgeKey(agent, ['ANTHROPIC_API_KEY']);
  assert.equal(found?.next, './halfdoor secrets set OPENAI_API_KEY');
  for (const names of [null, ['OPENAI_API_KEY']]) assert.deepEqual(judgeKey(agent, names), []);
  assert.deepEqual(judgeKey({ name: 'a', key: null }, []), []);
});

const seen = { node: '24.21.0', bunPath: '/b', bunThere: true, bun: '1.4.5', pinned: '1.4.5' };
for (const [name, change, ids] of [
  ['as pinned', {}, []],
  ['a newer Node', { node: '26.0.0' }, []],
  ['an older Node', { node: '24.20.9' }, ['node-old']],
  ['a much older Node, no Bun', { node: '20.1.0', bunThere: false, bun: null }, ['node-old', 'bun-missing']],
  ['a Bun that does not run', { bun: null }, ['bun-broken']],
  ['another Bun', { bun: '1.4.6' }, ['bun-other']],
] as const) {
  test(`runtimes: ${name}`, () => {
    assert.deepEqual(
      judgeRuntimes({ ...seen, ...change }).map(({ id }) => id),
      ids,
    );
  });
}

test('fixed is said only of what is gone at the second look', async () => {
  const found = (id: string, mend?: () => string) => ({
    id,
    severity: 'broken' as const,
    what: id,
    next: 'x',
    ...(mend && { mend }),
  });
  const bad = new Set(['goes', 'stays', 'throws', 'cannot']);
  const look = () => ({
    fine: 'f',
    found: [...bad].map((id) =>
      id === 'cannot'
        ? found(id)
        : found(id, () => (id === 'goes' ? (bad.delete(id), 'did') : id === 'stays' ? 'did' : assert.fail())),
    ),
  });
  const { findings } = await runCheck({ name: 'n', look }, true);
  assert.deepEqual(
    findings.map(({ id, fixed }) => [id, fixed]),
    [
      ['goes', 'did'],
      ['stays', undefined],
      ['throws', undefined],
      ['cannot', undefined],
    ],
  );
});

test('a check that cannot look is a finding of its own', async () => {
  const look = () => assert.fail('no such thing');
  const { findings } = await runCheck({ name: 'the moon', look }, false);
  assert.match(findings[0]?.what ?? '', /could not be looked at: the moon \(no such thing\)/);
});

test('the report keeps to 80 columns, and commands whole', () => {
  const next = `sudo mv ${'/long'.repeat(20)} /elsewhere`;
  const what = 'Something is wrong with it. '.repeat(6).trim();
  const text = report([{ fine: '', findings: [{ id: 'x', severity: 'warning', what, next }] }], false);
  const long = text.split('\n').filter((line) => line.length > 80);
  assert.deepEqual(long, [`  ${next}`]);
  assert.match(text, /\n1 check, 0 broken, 1 warning\.$/);
});
