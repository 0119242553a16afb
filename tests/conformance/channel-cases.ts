/**
 * What every channel promises, whatever platform is behind it. What a platform lacks is known before the tests are made,
 * so that no test is passed over in silence.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Failed, Sent } from '../../host/channels/channel.ts';
import { outgoing, stagedOn, type Fault, type Staged, type StageOf } from './channel-stage.ts';

/** What this kind of platform can be made to do. */
export type Traits = {
  idempotent: boolean;
  edits: boolean;
  files: boolean;
  buttons: boolean;
  /** It answers, refuses and drops by itself. */
  faults: readonly Fault[];
  /** It takes in by the stage's `say`. */
  says: boolean;
  /** People come and go, and what is sent to nobody waits. */
  presence: boolean;
  /** Taking in can be cut off and comes back by itself. */
  reconnects: boolean;
};

export function channelCases(kind: string, traits: Traits, stageOf: StageOf): void {
  const staged = stagedOn(kind, stageOf);
  sendCases(staged, traits);
  if (traits.faults.length > 0) faultCases(staged, traits);
  if (traits.edits) editCases(staged);
  if (traits.files) fileCases(staged);
  if (traits.buttons) buttonCases(staged);
  if (traits.says) takeCases(staged);
  if (traits.presence) presenceCases(staged);
  if (traits.reconnects) reconnectCases(staged);
}

function sendCases(staged: Staged, traits: Traits): void {
  staged('a capability is true exactly when its method is there', async ({ channel }) => {
    const { canEdit, canDelete, canReact, canType, canOpenDM, idempotent, hasFiles, hasButtons } = channel.capabilities;
    const said = [canEdit, canDelete, canReact, canType, canOpenDM];
    const there = [channel.edit, channel.delete, channel.react, channel.type, channel.openDM].map(
      (it) => it !== undefined,
    );
    assert.deepEqual(said, there);
    assert.equal(canType, channel.typingMs !== undefined);
    const { edits, files, buttons } = traits;
    assert.deepEqual([idempotent, canEdit, hasFiles, hasButtons], [traits.idempotent, edits, files, buttons]);
  });

  staged('what is sent is shown, as it is, whatever is written in it', async ({ channel, place, shown }) => {
    const text = 'a <b>bold</b> & *starred* [x](y) _z_ `code` ~q~ 漢字 😀 \\ | { } # + - = . !';
    const sent = await channel.send(outgoing(place, text));
    assert.equal(sent.status, 'sent');
    const plain = (it: string): string => it.replaceAll(/[*_`~[\]()xy\\]/g, '');
    assert.equal(shown(place).length, 1);
    assert.ok(plain(shown(place)[0]?.text ?? '').includes(plain(text)), shown(place)[0]?.text);
    assert.equal(channel.status().state, 'connected');
  });

  staged('the longest text that it says it takes is taken', async ({ channel, place, shown }) => {
    const length = Math.min(channel.capabilities.maxTextLength, 100_000);
    const sent = await channel.send(outgoing(place, 'x'.repeat(length), { mayBeDuplicate: true }));
    assert.equal(sent.status, 'sent');
    assert.ok(shown(place)[0]?.text.includes('x'.repeat(length)));
  });

  staged(
    'the same delivery again is shown once, or says that it may be a second copy',
    async ({ channel, place, shown }) => {
      const it = outgoing(place, 'once');
      await channel.send(it);
      const again = await channel.send({ ...it, mayBeDuplicate: true });
      assert.equal(again.status, 'sent');
      const [first, second, ...more] = shown(place).map(({ text }) => text);
      assert.deepEqual(more, []);
      assert.equal(first, 'once');
      if (traits.idempotent) assert.equal(second, undefined);
      else if (second !== undefined) assert.ok(second.includes('once') && second.length > 'once'.length, second);
    },
  );

  staged('what is sent in order is shown in order, and one place does not see another', async (stage) => {
    const { channel, place, other, shown } = stage;
    for (const text of ['one', 'two', 'three']) await channel.send(outgoing(place, text));
    if (other !== null) await channel.send(outgoing(other, 'elsewhere'));
    assert.deepEqual(
      shown(place).map((it) => it.text),
      ['one', 'two', 'three'],
    );
    if (other !== null)
      assert.deepEqual(
        shown(other).map((it) => it.text),
        ['elsewhere'],
      );
  });

  staged('after the end a send says that it did not arrive', async ({ channel, place, shown }) => {
    await channel.stop();
    await channel.close();
    const sent = await channel.send(outgoing(place, 'late'));
    if (sent.status === 'sent') assert.equal(shown(place).length, 1);
    else assert.deepEqual(shown(place), []);
  });
}

const failed = (sent: Sent): Failed => {
  assert.equal(sent.status, 'failed');
  return sent as Failed;
};

function faultCases(staged: Staged, { faults, idempotent }: Traits): void {
  const withFault = (fault: Fault, name: string, body: Parameters<Staged>[1]): void => {
    if (faults.includes(fault)) staged(name, body);
  };
  withFault('busy', 'a platform that asks for time is given it', async ({ channel, place, fault, shown }) => {
    fault?.('busy', 3_000);
    const { transient, retryAfterMs, maybeSeen } = failed(await channel.send(outgoing(place, 'x')));
    assert.deepEqual(
      { transient, retryAfterMs, maybeSeen },
      { transient: true, retryAfterMs: 3_000, maybeSeen: false },
    );
    assert.deepEqual(shown(place), []);
    assert.equal((await channel.send(outgoing(place, 'y'))).status, 'sent');
  });

  withFault('down', 'a platform that is down is tried again, and the fault stands in the status', async (stage) => {
    const { channel, place, fault } = stage;
    fault?.('down', null);
    const { transient, reason } = failed(await channel.send(outgoing(place, 'x')));
    assert.equal(transient, true);
    assert.ok(reason.length > 0 && !reason.includes('\n'), reason);
    assert.ok(channel.status().lastError);
  });

  withFault('refused', 'what the platform refuses for good is not transient', async ({ channel, place, fault }) => {
    fault?.('refused', null);
    const { transient, reason } = failed(await channel.send(outgoing(place, 'x')));
    assert.equal(transient, false);
    assert.ok(reason.length > 0, reason);
  });

  withFault(
    'dropped',
    'a send whose answer did not come may have been seen',
    async ({ channel, place, fault, shown }) => {
      fault?.('dropped', null);
      const it = outgoing(place, 'x');
      const { transient, maybeSeen } = failed(await channel.send(it));
      assert.deepEqual({ transient, maybeSeen }, { transient: true, maybeSeen: true });
      await channel.send({ ...it, mayBeDuplicate: true });
      assert.equal(shown(place).length, idempotent ? 1 : 2);
    },
  );
}

function editCases(staged: Staged): void {
  staged('what was sent can be edited and taken away', async ({ channel, place, shown }) => {
    const sent = await channel.send(outgoing(place, 'first'));
    const id = sent.status === 'sent' ? sent.platformId : null;
    assert.ok(id);
    assert.equal((await channel.edit?.(place, id, 'second'))?.status, 'sent');
    assert.deepEqual(
      shown(place).map((it) => it.text),
      ['second'],
    );
    // The same text again is no fault of anybody.
    assert.equal((await channel.edit?.(place, id, 'second'))?.status, 'sent');
    assert.equal((await channel.delete?.(place, id))?.status, 'sent');
    assert.deepEqual(shown(place), []);
    const gone = await channel.edit?.(place, id, 'third');
    assert.ok(gone?.status === 'failed' && !gone.transient);
  });

  staged('typing and a reaction trouble nobody', async ({ channel, place, shown }) => {
    const sent = await channel.send(outgoing(place, 'here'));
    await channel.type?.(place);
    const id = sent.status === 'sent' ? (sent.platformId ?? '') : '';
    assert.equal((await channel.react?.(place, id, '👍'))?.status ?? 'sent', 'sent');
    assert.equal((await channel.react?.(place, id, null))?.status ?? 'sent', 'sent');
    assert.deepEqual(
      shown(place).map((it) => it.text),
      ['here'],
    );
  });
}

function fileCases(staged: Staged): void {
  staged('a file arrives with its name', async ({ channel, place, shown }, host) => {
    const path = join(host.spool, 'copy');
    writeFileSync(path, 'content');
    const file = { name: 'report.txt', mime: 'text/plain', bytes: 7, path };
    assert.equal((await channel.send(outgoing(place, 'see here', { files: [file] }))).status, 'sent');
    assert.deepEqual(
      shown(place).flatMap((it) => it.files),
      ['report.txt'],
    );
    assert.ok(shown(place).some((it) => it.text === 'see here'));
  });
}

function buttonCases(staged: Staged): void {
  staged('buttons are shown', async ({ channel, place, shown }) => {
    const buttons = [
      { id: 'yes', label: 'Yes' },
      { id: 'no', label: 'No' },
    ];
    await channel.send(outgoing(place, 'sure?', { buttons }));
    assert.deepEqual(shown(place)[0]?.buttons, ['yes', 'no']);
  });
}

function takeCases(staged: Staged): void {
  staged('what somebody says comes in, with an id of its own', async ({ channel, place, say }, host) => {
    channel.start();
    await say?.('1', 'hello');
    await say?.('2', 'hello');
    assert.deepEqual(
      host.taken.map((it) => it.text),
      ['hello', 'hello'],
    );
    const [first, second] = host.taken;
    assert.notEqual(first?.platformId, second?.platformId);
    assert.equal(first?.address.chat, place.chat);
    assert.equal(first?.address.channel, channel.name);
    assert.equal(first?.sender, second?.sender);
  });

  staged('what was not taken is not acknowledged, and comes again as the same', async ({ channel, say }, host) => {
    host.answers = [{ status: 'not-now', reason: 'the disk is full' }];
    channel.start();
    await say?.('1', 'hello');
    assert.deepEqual(
      host.taken.map((it) => it.text),
      ['hello', 'hello'],
    );
    assert.equal(new Set(host.taken.map((it) => it.platformId)).size, 1);
  });

  staged('what is refused for good is not offered again', async ({ channel, say }, host) => {
    host.answers = [{ status: 'refused', code: 'forbidden', reason: 'not known here', next: 'Ask an owner.' }];
    channel.start();
    await say?.('1', 'hello').catch(() => undefined);
    await say?.('2', 'again');
    assert.deepEqual(
      host.taken.map((it) => it.text),
      ['hello', 'again'],
    );
  });
}

function presenceCases(staged: Staged): void {
  staged('with nobody there it is not ready, and says when somebody comes', async (stage, host) => {
    const { channel, place, leave, come } = stage;
    assert.equal(channel.ready(place), true);
    await leave?.();
    assert.equal(channel.ready(place), false);
    assert.equal((await channel.send(outgoing(place, 'x'))).status, 'nobody');
    host.places.length = 0;
    await come?.();
    await host.until(() => host.places.some((it) => it.chat === place.chat));
    assert.equal(channel.ready(place), true);
    assert.equal((await channel.send(outgoing(place, 'y'))).status, 'sent');
  });
}

function reconnectCases(staged: Staged): void {
  staged('cut off, it waits and comes back by itself', async ({ channel, say, cut, mend }, host) => {
    channel.start();
    await say?.('1', 'before');
    await cut?.();
    assert.notEqual(channel.status().state, 'connected');
    assert.ok(channel.status().lastError?.next);
    const said = say?.('2', 'meanwhile');
    await mend?.();
    await said;
    assert.deepEqual(
      host.taken.map((it) => it.text),
      ['before', 'meanwhile'],
    );
    assert.equal(channel.status().state, 'connected');
  });
}
