// needs: userns
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test, type TestContext } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { inboundSchema, InboundWriter, makeTemplate } from '@halfdoor/protocol/host';
import { bunPath } from '../world/programs.ts';
import { scene, type Kind } from './scene.ts';

/** Reads the file it is given, and never ends the transaction in which it does. */
const HOLD = `
const { DatabaseSync } = require('node:sqlite');
const db = new DatabaseSync(process.argv[2], { readOnly: true, timeout: 5000 });
db.exec('begin');
db.prepare('select * from meta').all();
console.log('held');
// What nothing refers to any more would be collected, and its lock with it.
setInterval(() => db.isOpen, 60000);
`;
/** F_SETLEASE with F_RDLCK (fcntl(2)): whoever opens the file for writing waits until the lease is given back. */
const lease = (path: string): string =>
  `perl -e 'open F, "<", "${path}" or die; print fcntl(F, 1024, 0) ? "leased" : "refused"'`;

function inbound(t: TestContext): { folder: string; path: string } {
  const folder = mkdtempSync(join(tmpdir(), 'hd-locks-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'inbound.db');
  makeTemplate(path, inboundSchema(), makeDurable());
  return { folder, path };
}

export function lockAttacks(kind: Kind): void {
  test(`${kind}: a lock held on inbound.db for ever ends its own run; others are answered meanwhile`, async (t) => {
    const { folder, path } = inbound(t);
    writeFileSync(join(folder, 'hold.cjs'), HOLD);
    // The control: nobody can write it while this lives.
    const holder = spawn(bunPath(), [join(folder, 'hold.cjs'), path], { stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => holder.kill());
    await once(holder.stdout, 'data');
    const naive = new DatabaseSync(path);
    assert.throws(() => naive.exec('update meta set seq_high = 2'), /locked/);
    naive.close();

    const { world, meanwhile } = await scene(t, kind);
    const { folder: session } = await world.session('bad');
    writeFileSync(join(session, 'work', 'hold.cjs'), HOLD);
    const hold =
      '(setsid /app/bun /s/work/hold.cjs /s/in/inbound.db > out.txt 2>&1 &); until grep -qs held out.txt; do :; done; echo on';
    const view = await meanwhile('lock on inbound.db', async () => {
      assert.equal(await world.reply('bad', `@shell ${hold}`), 'on');
      return world.ask('bad', '@reply through');
    });
    assert.deepEqual(
      view.replies.map((it) => it.text),
      ['through'],
    );
  });

  test(`${kind}: no lease can be taken inside on a file that the host writes`, async (t) => {
    const { path } = inbound(t);
    new InboundWriter(path, makeDurable()).close();
    assert.equal(spawnSync('/bin/sh', ['-c', lease(path)], { encoding: 'utf8' }).stdout, 'leased');
    const { world } = await scene(t, kind);
    for (const file of ['/s/in/inbound.db', '/s/out/outbound.db', '/s/out/heartbeat'])
      assert.equal(await world.reply('bad', `@shell ${lease(file)}`), 'refused', file);
  });
}

lockAttacks('bubblewrap');
