// needs: docker, userns
/** The image, unpacked for agents in bubblewrap: they get its programs at their next run, and this machine's again. */
import assert from 'node:assert/strict';
import { readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { examine, ids } from '../world/doctor.ts';
import { openWorld, type World } from '../world/host.ts';
import { Site } from '../world/image-site.ts';

/** Stands in the image and nowhere else. */
const LOOK = '@shell cat /usr/lib/halfdoor/runner-lock 2>/dev/null || echo none';

async function opened(t: TestContext): Promise<World> {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a', sandbox: 'bubblewrap' });
  return world;
}

/** Ends what runs, so that the next message begins a run. */
async function asleep(world: World): Promise<void> {
  const { id } = await world.session('a');
  await world.call('POST', `/v1/sessions/${id}/stop`);
}

test('unpacked, used by the next run, unpacked again, taken back', { timeout: 600_000 }, async (t) => {
  const site = new Site(t);
  const world = await opened(t);
  const unpack = (...more: string[]) => site.run(['image', 'unpack', ...more], { HALFDOOR_HOME: world.home });
  const none = await unpack();
  assert.equal(none.code, 1);
  assert.match(none.err, /^halfdoor:\w+ is not there\nBuild it: \.\/halfdoor image build$/m);
  assert.equal(await world.reply('a', LOOK), 'none');

  const built = await site.build();
  assert.equal(built.code, 0, built.err);
  const done = await unpack();
  assert.equal(done.code, 0, done.err);
  assert.match(done.out, /^agents in bubblewrap get what halfdoor:\w+ holds/m);
  // The run that was there stands on what it began with.
  assert.equal(await world.reply('a', LOOK), 'none');
  await asleep(world);
  assert.match(await world.reply('a', LOOK), /^[0-9a-f]{12}$/);
  // Its libraries are its own, and it is no more to be written than the machine's.
  assert.match(
    await world.reply('a', '@shell git --version; jq --version; bun --version'),
    /git version .*\njq-1.*\n1\./,
  );
  const planted = `@shell (: > /usr/bin/planted) 2>&1; awk 'BEGIN { print 42 }'`;
  assert.match(await world.reply('a', planted), /Read-only file system\n42$/);

  // A host that starts on it tries its wall as ever.
  await world.restart('SIGTERM');
  assert.equal((await world.status()).sandboxes.find(({ kind }) => kind === 'bubblewrap')?.ok, true);
  assert.match(await world.reply('a', LOOK), /^[0-9a-f]{12}$/);

  // Again it is the same folder: what runs stand on is not taken from under them.
  assert.equal((await unpack()).code, 0);
  const kept = readdirSync(join(world.home, 'image')).toSorted();
  assert.deepEqual([kept.length, kept.includes('current')], [2, true]);
  assert.match(await world.reply('a', '@shell jq --version'), /^jq-/);

  // Gone without a word it is no reason to give the agent other programs: that is told, with the next step.
  const folder = join(world.home, 'image', kept.find((it) => it !== 'current') ?? '');
  await asleep(world);
  renameSync(folder, `${folder}.away`);
  const refused = await world.ask('a', LOOK);
  assert.equal(refused.status, 'failed');
  assert.match(refused.error ?? '', /unpacked into .* is not there any more[^]*image unpack --remove/);
  assert.deepEqual(ids(await examine({ home: world.home })), ['sandbox-image-gone']);
  // A host that starts so has its own wall all the same, and the way back needs no other start.
  await world.restart('SIGTERM');
  assert.equal((await world.status()).reader.walled, true);
  const back = await unpack('--remove');
  assert.equal(back.code, 0, back.err);
  assert.equal(await world.reply('a', LOOK), 'none');
});
