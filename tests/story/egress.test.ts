// needs: userns
/** An agent asks for hosts outside, from the shell it has; an owner allows them and takes them back. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
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
  const { refused: lately } = await hosts(world);
  assert.deepEqual(
    lately.map(({ host, reason, times }) => ({ host, reason, times })),
    [{ host: 'files.example', reason: 'not-allowed', times: 2 }],
  );
});
