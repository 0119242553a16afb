// needs: userns
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import type { TraceView } from '../../host/api/operator-contract.ts';
import { LIMITS } from '../../protocol/limits.ts';
import type { World } from '../world/host.ts';
import { scene, type Scene } from './scene.ts';

const MIB = 1024 * 1024;
/** Above the limit, and no more than a machine of tests can bear: each bomb ends by itself. */
const BOMB_MIB = 1_250;

/** Runs once: the next try finds that it has been and says so. */
const once = (command: string): string => `@shell [ -e been ] && echo survived && exit; : > been; ${command}`;
const bun = (script: string): string => `/app/bun -e '${script}'`;
/** What nothing refers to any more would be collected. */
const KEEP = 'setTimeout(() => kept.length, 120000);';

async function hops(world: World, id: string): Promise<string[]> {
  const { body } = await world.call<TraceView>('GET', `/v1/trace/${id}`);
  return body.hops.map((it) => it.text);
}

/** What the host told the agent of this session. */
async function told(world: World): Promise<string> {
  const { id } = await world.session('bad');
  const central = new DatabaseSync(join(world.home, 'central.db'), { readOnly: true, timeout: 5_000 });
  try {
    const rows = central.prepare("select content from events where channel = 'host' and chat = ?").all(id);
    return rows.map((row) => String(row.content)).join('\n');
  } finally {
    central.close();
  }
}

async function endsBy(limit: string, attack: string, { world, meanwhile }: Scene, says: RegExp): Promise<void> {
  const id = await meanwhile(attack.slice(0, 60), async () => {
    const sent = await world.send('bad', once(attack));
    assert.deepEqual(
      (await world.settled(sent, 240_000)).replies.map((it) => it.text),
      ['survived'],
    );
    return sent;
  });
  assert.ok(world.log.includes(`"limit":"${limit}"`), world.log.slice(-2000));
  assert.ok((await hops(world, id)).some((it) => it.includes(`ended on it: ${limit} (try 1)`)));
  assert.match(await told(world), says);
}

const MEMORY: Record<string, string> = {
  'in one process': bun(
    `const kept = []; while (kept.length < ${BOMB_MIB / 25}) kept.push(new Uint8Array(25 << 20).fill(1)); ${KEEP}`,
  ),
  'in many processes': `for n in 1 2 3 4 5; do ${bun(
    `const kept = new Uint8Array(${BOMB_MIB / 5} << 20).fill(1); ${KEEP}`,
  )} & done; wait`,
};

for (const [name, attack] of Object.entries(MEMORY)) {
  test(`a memory bomb ${name} ends the run; its agent hears why, and the message is tried again`, async (t) => {
    await endsBy('memory-limit', attack, await scene(t), /more than 1\.0 GiB of memory/);
  });
}

test('what is given up for a limit is told to the person with the next step', async (t) => {
  const { world, meanwhile } = await scene(t);
  const bomb = bun(
    `const fs = require("fs"); const kept = []; while (kept.length < 3500) kept.push(fs.openSync("/dev/null")); ${KEEP}`,
  );
  const view = await meanwhile('files held open', async () => {
    const id = await world.send('bad', `@shell for n in 1 2 3 4 5 6; do ${bomb} & done; wait`);
    return world.settled(id, 240_000);
  });
  assert.match(view.notices[0]?.text ?? '', /more than its 16384 files open.*begin afresh with \/new/);
  assert.equal(await world.reply('bad', '@reply back'), 'back');
});

const DISK: Record<string, string> = {
  'work/': `dd if=/dev/zero of=a bs=1M count=${BOMB_MIB / 2}; dd if=/dev/zero of=b bs=1M count=${BOMB_MIB / 2}; sleep 120`,
  'out/files/ behind a closed folder': [
    'mkdir -p /s/out/files/d; cd /s/out/files/d',
    `(sleep 0.2; chmod 0 /s/out/files/d) & dd if=/dev/zero of=a bs=1M count=${BOMB_MIB / 2}`,
    `chmod 700 /s/out/files/d; dd if=/dev/zero of=b bs=1M count=${BOMB_MIB / 2}; chmod 0 /s/out/files/d; sleep 120`,
  ].join('; '),
  'a file that is deleted and held open': `exec 8> a 9> b; rm a b; dd if=/dev/zero bs=1M count=${BOMB_MIB / 2} >&8; dd if=/dev/zero bs=1M count=${BOMB_MIB / 2} >&9; sleep 120`,
};

for (const [name, attack] of Object.entries(DISK)) {
  test(`the disk filled by ${name} ends the run; the next one may go on and delete`, async (t) => {
    const it = await scene(t);
    await endsBy('disk-limit', attack, it, /more than 1\.0 GiB.*Delete what you do not need/);
    await it.world.reply('bad', '@shell chmod -R 700 /s/out/files; rm -rf /s/out/files/* a b; echo clean');
  });
}

test('refused inside without an end of the run: too many processes, too large a file, a full /tmp and /dev/shm', async (t) => {
  const { world, meanwhile } = await scene(t);
  await meanwhile('a fork bomb and more', async () => {
    const forks = await world.reply('bad', '@shell for n in $(seq 400); do sleep 20 & done 2>&1 | tail -1; echo end');
    assert.match(forks, /fork/i);
    for (const [path, count] of [
      ['/tmp/x', LIMITS.tmpBytes],
      ['/dev/shm/x', LIMITS.shmBytes],
    ] as const) {
      const filled = await world.reply('bad', `@shell dd if=/dev/zero of=${path} bs=1M count=${count / MIB + 8} 2>&1`);
      assert.match(filled, /No space left/);
    }
    assert.match(await world.reply('bad', '@shell truncate -s 2G sparse 2>&1; echo $?'), /too large|File size|153/i);
    const open = bun(
      'const fs = require("fs"); try { for (;;) fs.openSync("/dev/null") } catch (error) { console.log(error.code) }',
    );
    assert.equal(await world.reply('bad', `@shell ${open}`), 'EMFILE');
  });
  assert.equal(await world.reply('bad', '@shell truncate -s 900M s1; truncate -s 900M s2; echo sparse'), 'sparse');
  assert.doesNotMatch(world.log, /took more than it may/);
});

test('a sandbox that spins on every processor stands behind the host and the others', async (t) => {
  const { world, meanwhile } = await scene(t);
  const spin = "timeout 6 sh -c 'while :; do :; done'";
  await meanwhile('nothing', () => world.reply('bad', '@shell sleep 3'));
  await meanwhile('64 that spin', () => world.reply('bad', `@shell for n in $(seq 64); do ${spin} & done; wait`));
});
