import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { HeldClock } from '../../../tests/fakes/held-clock.ts';
import { ScriptedChannel } from '../../../tests/fakes/scripted-channel.ts';
import { Central } from '../../db/central.ts';
import { makeIds } from '../../ids.ts';
import { Refusal } from '../../refusal.ts';
import type { ChannelHost } from '../channel-host.ts';
import { removeChannel } from '../remove.ts';
import { Roster } from '../roster.ts';

const AT = '2026-01-02T03:04:05.678Z';
const log = { info: () => {}, warn: () => {}, error: () => {}, scope: () => log };

class Watched extends ScriptedChannel {
  readonly went: string[];

  constructor(host: ChannelHost, went: string[]) {
    super(host);
    this.went = went;
  }

  override start(): void {
    this.went.push(`${String(this.capabilities.maxTextLength)} starts`);
    super.start();
  }

  override close(): Promise<void> {
    this.went.push('closes');
    return super.close();
  }
}

async function stage(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'hd-roster-'));
  const clock = new HeldClock();
  const central = await Central.open(join(folder, 'central.db'), makeDurable(), clock);
  const went: string[] = [];
  const host = (name: string): ChannelHost => ({
    ...{ name, spool: folder, log, random: () => 0, newId: () => 'id', ready: () => {}, now: () => clock.now() },
    accept: () => assert.fail('nothing comes in'),
    after: (ms, fn) => clock.after(ms, fn),
  });
  const roster = new Roster({
    ...{ central, host, log, now: () => AT },
    kinds: {
      http: (it) => Promise.resolve(new Watched(it, went)),
      telegram: () => Promise.reject(new Refusal('bad-input', 'the token is gone', 'Add it again.')),
    },
    opened: (name) => Promise.resolve(void went.push(`${name} opened`)),
  });
  t.after(async () => {
    await roster.close();
    await central.close();
    rmSync(folder, { recursive: true });
  });
  const insert = (name: string, kind: 'http' | 'telegram') =>
    central.commit('channel', (tx) =>
      tx.insertInto('channels').values({ name, kind, settings: '{}', created_at: AT }).execute(),
    );
  return { central, roster, went, insert, ids: makeIds(() => Date.parse(AT)), now: () => AT };
}

test('a channel that cannot be opened says why, and the others work', async (t) => {
  const { roster, insert, went } = await stage(t);
  await insert('post', 'http');
  await insert('tg', 'telegram');
  await roster.open();
  assert.deepEqual(went, []);
  roster.start();
  assert.deepEqual(went, ['1000 starts']);
  assert.ok(roster.get('post'));
  assert.equal(roster.get('tg'), undefined);
  const lastError = { at: AT, text: 'the token is gone', next: 'Add it again.' };
  assert.deepEqual(roster.views()[1], { name: 'tg', kind: 'telegram', state: 'broken', since: AT, lastError });
});

test('added again it takes the place of the one before, and what waited goes', async (t) => {
  const { roster, went } = await stage(t);
  const row = { name: 'post', kind: 'http', settings: '{}' } as const;
  await roster.add(row);
  const first = roster.get('post');
  await roster.add(row);
  assert.notEqual(roster.get('post'), first);
  assert.deepEqual(went, ['1000 starts', 'post opened', 'closes', '1000 starts', 'post opened']);
});

test('removed it is closed and its row is gone; one that is not there is refused', async (t) => {
  const { roster, insert, central, went, ...deps } = await stage(t);
  await insert('post', 'http');
  await roster.open();
  await removeChannel({ central, roster, ...deps }, 'post', 'local:1');
  assert.deepEqual([went, roster.views()], [['closes'], []]);
  assert.deepEqual(await central.read.selectFrom('channels').selectAll().execute(), []);
  const again = removeChannel({ central, roster, ...deps }, 'post', 'local:1');
  await assert.rejects(again, (error) => error instanceof Refusal && error.code === 'not-found');
});
