// needs: userns
import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { rows } from '../world/files.ts';
import { held, isAtTool, letGo } from '../world/held.ts';
import { scene, type Kind, type Scene } from './scene.ts';

const PEER = join(import.meta.dirname, 'peers', 'rows.ts');

type Attack = {
  verb: string;
  /** `spoiled`: the file is refused whole; `refused`: the row is, and the agent is told; `nothing` comes of it. */
  comesTo: 'spoiled' | 'refused' | 'said' | 'nothing';
  /** In the agent's own file, whose proof it is that nothing inside kept the attack back. */
  arrived?: string;
};

const seq = (text: string): string => `select count(*) as n from messages_out where ${text}`;

const ATTACKS: readonly Attack[] = [
  { verb: 'claims-of-a-later-run', comesTo: 'nothing' },
  { verb: 'claims-of-no-number', comesTo: 'nothing' },
  { verb: 'row-of-a-later-run', comesTo: 'said', arrived: seq('run = 1000000000') },
  {
    verb: 'ack-for-another',
    comesTo: 'nothing',
    arrived: 'select count(*) as n from processing_ack where message_id = ?',
  },
  { verb: 'answer-for-another', comesTo: 'said', arrived: seq('answers = json_array(?)') },
  { verb: 'seq-again', comesTo: 'nothing', arrived: seq("content like '%forged seq-again%'") },
  { verb: 'seq-backwards', comesTo: 'nothing', arrived: seq('seq = -1') },
  { verb: 'seq-even', comesTo: 'spoiled', arrived: seq('seq % 2 = 0') },
  { verb: 'seq-far', comesTo: 'spoiled', arrived: seq('seq = 2097153') },
  { verb: 'seq-highest', comesTo: 'spoiled', arrived: seq('seq = 9223372036854775807') },
  { verb: 'text-for-answers', comesTo: 'refused', arrived: seq(`answers = '"all"'`) },
  { verb: 'number-for-text', comesTo: 'refused', arrived: seq(`content = '{"text":5}'`) },
  { verb: 'foreign-destination', comesTo: 'refused', arrived: seq('destination = ?') },
  { verb: 'forged-receipt', comesTo: 'refused', arrived: seq("content like '%receipt%'") },
  { verb: 'answer-nobody-asked', comesTo: 'refused', arrived: seq("content like '%answer_question%'") },
  { verb: 'huge-row', comesTo: 'refused', arrived: seq('length(content) > 3000000') },
  { verb: 'changing-row', comesTo: 'nothing', arrived: seq("content like '%changing 99%'") },
  { verb: 'bell-flood', comesTo: 'nothing' },
];

function countIn(path: string, query: string, word: string): number {
  const file = new DatabaseSync(path, { readOnly: true, timeout: 30_000 });
  try {
    return Number(file.prepare(query).get(...(query.includes('?') ? [word] : []))?.n);
  } finally {
    file.close();
  }
}

const said = (world: Scene['world'], like: string): Record<string, unknown>[] =>
  rows(world, 'select content from deliveries where content like ?', `%${like}%`);
const told = (world: Scene['world']): number =>
  Number(rows(world, "select count(*) as n from audit where verdict = 'deny'")[0]?.n) +
  Number(rows(world, 'select count(*) as n from unsent where refused is not null')[0]?.n);

/** `other` is a message of another session that is being worked on. */
async function attacked({ world, meanwhile }: Scene, { verb, comesTo, arrived }: Attack, other: string): Promise<void> {
  await world.ask('bad', '/new');
  await world.reply('bad', '@reply there');
  const { folder } = await world.session('bad');
  copyFileSync(PEER, join(folder, 'work', 'rows.ts'));
  const [before, log] = [told(world), world.log.length];
  const view = await meanwhile(verb, async () => {
    const first = await world.ask('bad', `@shell /app/bun /s/work/rows.ts ${verb} ${other}`);
    if (comesTo !== 'spoiled') assert.equal(await world.reply('bad', '@reply after'), 'after');
    return first;
  });
  if (arrived !== undefined) assert.equal(countIn(join(folder, 'out', 'outbound.db'), arrived, other) > 0, true);
  assert.equal(said(world, `forged ${verb}`).length, comesTo === 'said' ? 1 : 0);
  assert.equal(told(world) > before, comesTo === 'refused', world.log.slice(log));
  if (comesTo === 'spoiled') assert.match(view.error ?? '', /not what the host made/);
  else
    assert.deepEqual(
      view.replies.map((it) => it.text).filter((it) => it === 'done'),
      ['done'],
    );
}

export function rowAttacks(kind: Kind): void {
  test(`${kind}: no row that an agent forges is believed beyond its own session`, async (t) => {
    const stage = await scene(t, kind);
    const { world } = stage;
    await world.createAgent({ name: 'third', sandbox: kind });
    await world.reply('third', '@reply up');
    const chat = world.chat('third');
    const { folder, id: session } = await world.session('third');
    const waiting = await world.send('third', held('worked on'));
    await chat.until((events) => events.find(isAtTool));
    const [open] = rows(world, 'select id from dispatches where session_id = ? order by rowid desc limit 1', session);
    for (const attack of ATTACKS) await t.test(attack.verb, () => attacked(stage, attack, String(open?.id)));
    assert.ok(said(world, 'changing').length <= 1);
    // Neither acked nor answered by anybody but its own session.
    letGo(folder);
    const view = await world.settled(waiting);
    assert.deepEqual([view.status, view.replies.map((it) => it.text)], ['answered', ['worked on']]);
    chat.close();
  });
}

rowAttacks('bubblewrap');
