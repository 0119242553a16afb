// needs: userns
/** An agent asks for hosts outside, from the shell it has; an owner allows them and takes them back. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { runCli, type Ended } from '../../cli/tests/run-cli.ts';
import type { HostsView } from '../../host/api/egress-contract.ts';
import { openModelEndpoint } from '../fakes/model-endpoint.ts';
import { change, giveAuthority, hosts, openOutside, trusting } from '../world/outside.ts';

test('a host is refused in words, allowed by one command, and refused again when that is taken back', async (t) => {
  const it = await openOutside(t, { 'files.example': (_asked, answer) => answer.end('from outside') });
  const { world } = it;
  const curl = `@shell ${trusting(await giveAuthority(it))} curl -sS https://files.example/x`;
  const refused = await world.reply('maya', curl);
  assert.match(refused, /CONNECT tunnel failed, response 403/);
  assert.match(
    refused,
    /\(network: maya may not reach files\.example\. Its owner allows it with: \.\/halfdoor agents allow maya files\.example\)/,
  );
  const [rule] = (await change(world, 'PUT', 'Files.example.')).rules;
  assert.equal(rule?.rule, 'files.example');
  assert.equal(await world.reply('maya', curl), 'from outside');
  await change(world, 'DELETE', 'files.example');
  assert.match(await world.reply('maya', curl), /may not reach files\.example/);
  // The connection of the reply may still be closing when the rule goes: then it ends as one that was taken back.
  const lately = (await hosts(world)).refused.filter(({ reason }) => reason !== 'revoked');
  assert.deepEqual(
    lately.map(({ host, reason, times }) => ({ host, reason, times })),
    [{ host: 'files.example', reason: 'not-allowed', times: 2 }],
  );
});

test('the verbs: allow, deny, hosts', async (t) => {
  const { world } = await openOutside(t, {});
  const cli = async (...words: string[]): Promise<Ended> => runCli(world.home, ['agents', ...words]);
  assert.match((await cli('hosts', 'maya')).out, /may reach no host; allow one: .*web, search, github, npm, pypi, apt/);
  const npm = await cli('allow', 'maya', 'npm');
  assert.deepEqual([npm.code, npm.out, npm.err], [0, 'maya may reach npm, from its next request on\n', '']);
  const web = await cli('allow', 'maya', 'web');
  assert.match(web.err, /every public host on port 443: maya can fetch from anywhere, and send anywhere what it sees/);
  await world.reply('maya', '@shell curl -sS https://1.1.1.1/; curl -sS https://nobody.example/; true');
  const { out } = await cli('hosts', 'maya');
  assert.match(out, /^npm +registry\.npmjs\.org$/m);
  assert.match(out, /^web +every public host$/m);
  assert.match(out, /^- +address +1 /m);
  assert.match((await cli('deny', 'maya', 'web')).out, /maya may reach only npm any more/);
  assert.equal((await cli('allow', 'maya', '*.Example.com')).code, 0);
  await world.reply('maya', '@shell curl -sS https://nobody.example/; true');
  assert.match((await cli('hosts', 'maya')).out, /^Allow one: \.\/halfdoor agents allow maya nobody\.example$/m);
  for (const [words, code, said] of [
    [['allow', 'maya', '127.0.0.1'], 1, /no host and no preset/],
    [['allow', 'maya', 'a.example:8443'], 1, /Ports, paths and addresses are not part of it/],
    [['deny', 'maya', 'pypi'], 1, /maya has no rule pypi/],
    [['hosts', 'nobody'], 1, /no agent named nobody/],
    [['allow', 'maya'], 2, /missing required argument/],
  ] as const) {
    const ended = await cli(...words);
    assert.deepEqual([ended.code, said.test(ended.err.replaceAll('\n', ' '))], [code, true], ended.err);
  }
  const view = JSON.parse((await cli('hosts', 'maya', '--json')).out) as HostsView;
  assert.deepEqual(
    view.rules.map((it) => it.rule),
    ['*.example.com', 'npm'],
  );
  const central = new DatabaseSync(join(world.home, 'central.db'), { readOnly: true });
  const audit = central.prepare("select action, target from audit where action like 'hosts.%' order by id").all();
  central.close();
  assert.deepEqual(
    audit.map((row) => `${row.action} ${row.target}`),
    ['hosts.allow npm', 'hosts.allow web', 'hosts.deny web', 'hosts.allow *.example.com'],
  );
});

test('a connection that is open when its rule is taken back ends', async (t) => {
  const asked = Promise.withResolvers<void>();
  const it = await openOutside(t, { 'files.example': () => asked.resolve() });
  const { world } = it;
  await change(world, 'PUT', 'files.example');
  const env = trusting(await giveAuthority(it));
  const id = await world.send('maya', `@shell ${env} curl -sS https://files.example/slow`);
  await asked.promise;
  await change(world, 'DELETE', 'files.example');
  const [reply] = (await world.settled(id)).replies;
  assert.match(reply?.text ?? '', /^curl: .*\n\(exit \d+\)$/s);
  assert.equal((await hosts(world)).refused[0]?.reason, 'revoked');
});

test('what is asked of the model stands in the record, too', async (t) => {
  const { world } = await openOutside(t, {});
  const endpoint = await openModelEndpoint('openai', [{ text: '<message to="terminal">hi</message>' }]);
  t.after(() => endpoint.close());
  const model = { provider: 'direct', model: 'm', api: 'openai', baseUrl: endpoint.baseUrl } as const;
  await world.createAgent({ name: 'ada', ...model, sandbox: 'bubblewrap' });
  assert.equal(await world.reply('ada', 'hello'), 'hi');
  await world.end('SIGTERM');
  const central = new DatabaseSync(join(world.home, 'central.db'), { readOnly: true });
  const [row] = central.prepare('select kind, host, port, verdict, reason, times, up, down from egress_log').all();
  central.close();
  const { up, down, ...rest } = { ...row };
  const port = Number(new URL(endpoint.baseUrl).port);
  assert.deepEqual(rest, { kind: 'model', host: '127.0.0.1', port, verdict: 'allow', reason: '200', times: 1 });
  assert.ok(Number(up) > 100 && Number(down) > 100, `${String(up)} ${String(down)}`);
});
