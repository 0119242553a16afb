import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Progress, Said } from '@halfdoor/protocol/runner';
import { inSession, OFFICE, type Session } from './world.ts';

/**
 * Everything the progress file showed until the messages were acked. It is lossy, so what must be seen is written for
 * longer than a loaded machine lets this process wait.
 */
async function watched(session: Session, ids: string[]): Promise<Progress[]> {
  const seen: Progress[] = [];
  await session.until(() => {
    const progress = session.progress();
    if (progress !== null) seen.push(progress);
    return ids.every((id) => session.acks.some((ack) => ack.messageId === id));
  });
  return seen;
}

const saidIn = (seen: readonly Progress[]): Said[] => seen.flatMap(({ said }) => (said === null ? [] : [said]));

test('text is shown as it comes, always a beginning of what is sent, and is gone when nothing is under way', () =>
  inSession(async (session) => {
    const { child, exit } = session.start(1);
    const id = session.tell(`@slow 1500 ${'zwölf 漢字 '.repeat(20)}`, { address: OFFICE });
    const seen = await watched(session, [id]);
    const said = saidIn(seen);
    const [sent = ''] = session.said;
    assert.ok(said.length >= 3, `${said.length} pieces`);
    for (const it of said) assert.ok(it.to === 'office' && it.reply === 0 && sent.startsWith(it.text), it.text);
    assert.ok((said.at(-1)?.text.length ?? 0) > (said[0]?.text.length ?? 0));
    for (const { state, said: piece } of seen) assert.ok(piece === null || state === 'writing');
    // Resting rings no bell: what the run leaves behind is looked at once it has ended.
    child.kill('SIGTERM');
    await exit;
    assert.deepEqual([session.progress()?.state, session.progress()?.said], ['idle', null]);
  }));

test('of a long text the newest part is shown, and where it stands', () =>
  inSession(async (session) => {
    session.start(1);
    const text = Array.from({ length: 1_000 }, (_, n) => `${n}.`).join('');
    const said = saidIn(await watched(session, [session.tell(`@slow 1500 ${text}`)]));
    assert.ok(said.some(({ at }) => at > 0));
    for (const it of said) assert.equal(session.said[0]?.slice(it.at, it.at + it.text.length), it.text);
  }));

test('a second answer of the turn goes on counting, and so does a try that begins anew', () =>
  inSession(async (session) => {
    session.start(1);
    const [one, two] = ['first', 'after'].map((word) => Array(40).fill(word).join(' '));
    const id = session.tell(`@slow 1000 ${one}\n@fail transient*1\n@slow 1000 ${two}`);
    const replies = saidIn(await watched(session, [id])).map(({ reply }) => reply);
    assert.deepEqual([...new Set(replies)], [0, 1, 2]);
    assert.deepEqual(session.said, [one, two]);
  }));
