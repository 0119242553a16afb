/**
 * Halfdoors with one thing wrong, each a promise of the contract that is broken. Nothing of this is ever written into the
 * tree: an edit is made to the source as it is loaded. `row`: what is durable when, in DESIGN and ARCHITECTURE.
 */
import type { Edit } from '../sim/hooks.ts';

export type Row = 'accept' | 'enqueue' | 'claim' | 'say' | 'settle' | 'collect' | 'deliver' | 'after an exit';

export type Mutant = { name: string; row: Row; edits: readonly Edit[] };

export const mutants: readonly Mutant[] = [
  {
    name: 'acknowledged before the commit',
    row: 'accept',
    edits: [
      {
        file: 'host/inbound/accept.ts',
        from: `const { accepted, aftermath } = await keeping(deps, arrival.eventId, brought, (files) =>
    deps.central.commit('accept', (tx) => take(deps, tx, { ...arrival, files })),
  );
  deps.after(aftermath);
  return accepted;`,
        to: `void deps.central.commit('accept', (tx) => take(deps, tx, arrival)).then((it) => deps.after(it.aftermath));
  return { eventId: arrival.eventId, repeated: false };`,
      },
    ],
  },
  {
    name: 'acknowledged before what came with it is kept',
    row: 'accept',
    edits: [{ file: 'host/files/inbox.ts', from: 'await disk.take(file.path, join(folder, name));', to: '' }],
  },
  {
    name: 'marked as enqueued instead of projected again',
    row: 'enqueue',
    edits: [
      {
        file: 'host/sessions/wake.ts',
        from: `    await tx.insertInto('runs')`,
        to: `    await tx.updateTable('dispatches').set({ due_at: 'enqueued' }).where('session_id', '=', sessionId).execute();
    await tx.insertInto('runs')`,
      },
      {
        file: 'host/inbound/enqueue.ts',
        from: `.where('dispatches.state', '=', 'open')`,
        to: `.where('dispatches.state', '=', 'open').where('dispatches.due_at', 'is', null)`,
      },
    ],
  },
  {
    name: 'a number is given again after pruning',
    row: 'enqueue',
    edits: [
      {
        file: 'protocol/inbound.ts',
        from: `this.#file.all('select seq_high from meta')[0]?.seq_high`,
        to: `this.#file.all('select max(seq) as seq_high from messages_in')[0]?.seq_high ?? 0`,
      },
      {
        file: 'protocol/inbound.ts',
        from: 'nextSeq(HOST_PARITY, high, cursor)',
        to: 'nextSeq(HOST_PARITY, high)',
      },
    ],
  },
  {
    name: 'claims of a dead run count for the next',
    row: 'claim',
    edits: [
      {
        file: 'host/sessions/watch.ts',
        from: 'if (heartbeat?.run === this.#run) this',
        to: 'if (heartbeat) this',
      },
      {
        file: 'host/sessions/decide.ts',
        from: 'heartbeat?.run === run ? heartbeat.claims : []',
        to: 'heartbeat ? heartbeat.claims : []',
      },
    ],
  },
  {
    name: 'an exit is the death of every open message',
    row: 'claim',
    edits: [
      {
        file: 'host/sessions/decide.ts',
        from: 'return claims.length > 0 ? claims.filter((id) => open.has(id)) : [...open];',
        to: 'return [...open];',
      },
    ],
  },
  {
    name: 'a death after all was settled blames what waits',
    row: 'claim',
    edits: [
      {
        file: 'host/sessions/decide.ts',
        from: 'heartbeat?.run === run ? heartbeat.claims : []',
        to: 'heartbeat?.run === run ? heartbeat.claims.filter((id) => open.has(id)) : []',
      },
    ],
  },
  {
    name: 'tries are counted when the host ends a run itself',
    row: 'claim',
    edits: [
      {
        file: 'host/sessions/decide.ts',
        from: 'if (stopFor !== null && isBlameless(stopFor)) return',
        to: 'if (stopFor === undefined) return',
      },
    ],
  },
  {
    name: 'a replay says again what was said',
    row: 'say',
    edits: [
      {
        file: 'runner/turn.ts',
        from: 'speaker.begin(outbound.saidBefore(given.filter((it) => intake.isOlderThanRun(it))))',
        to: 'speaker.begin([])',
      },
    ],
  },
  {
    name: 'new numbers hide what was said',
    row: 'say',
    edits: [
      {
        file: 'protocol/outbound.ts',
        from: 'seq > min(?, (select max(seq) from messages_out) - ?)',
        to: 'seq > max(?, 0 * ?)',
      },
    ],
  },
  {
    name: 'acked at the push',
    row: 'settle',
    edits: [
      {
        file: 'runner/turn.ts',
        from: `for (const message of fresh) query.push(`,
        to: `const acks = fresh.map((it) => ({ messageId: it.id, status: 'done', reason: null }));
    this.#deps.outbound.write('settle', { acks, seenSeq: this.#deps.intake.highest });
    for (const message of fresh) query.push(`,
      },
    ],
  },
  {
    name: 'acked before the reply',
    row: 'settle',
    edits: [
      {
        file: 'runner/speaker.ts',
        from: `    this.#deps.outbound.write('settle', {
      messages,
      acks: it.acks,`,
        to: `    this.#deps.outbound.write('settle', { acks: it.acks, seenSeq: this.#deps.intake.highest });
    this.#deps.outbound.write('settle', {
      messages,`,
      },
    ],
  },
  {
    name: 'no fence',
    row: 'settle',
    edits: [
      {
        file: 'protocol/outbound.ts',
        from: `this.#fence(this.#file.run('update meta set run = ? where run = ?', this.#run, this.#run));`,
        to: '',
      },
    ],
  },
  {
    name: 'what is acked is read again',
    row: 'settle',
    edits: [{ file: 'runner/intake.ts', from: '(this.#first && this.#isSettled(row.id))', to: 'this.#first === null' }],
  },
  {
    name: 'the cursor moves before what it stands for',
    row: 'collect',
    edits: [
      {
        file: 'host/outbound/collect.ts',
        from: `  const commit = deps.central.commit('collect', async (tx) => {`,
        to: `  await deps.central.commit('collect', (tx) =>
    tx.updateTable('sessions').set({ cursor: next }).where('id', '=', from.sessionId).execute(),
  );
  const commit = deps.central.commit('collect', async (tx) => {`,
      },
    ],
  },
  {
    name: 'the cursor moves past files that nobody has copied',
    row: 'collect',
    edits: [
      { file: 'host/outbound/collect.ts', from: 'await deps.outbox.copy(from, batch.messages)', to: 'new Map()' },
    ],
  },
  {
    name: 'not `sending` before the platform is called',
    row: 'deliver',
    edits: [
      {
        file: 'host/outbound/ledger.ts',
        from: `.set({ state: 'sending' })`,
        to: `.set({ state: 'queued' })`,
      },
    ],
  },
  {
    name: 'a long text whose second part fails is sent again whole',
    row: 'deliver',
    edits: [
      {
        file: 'host/outbound/deliver.ts',
        from: 'let n = Math.min(arrived.length, parts.length - 1)',
        to: 'let n = 0',
      },
    ],
  },
  {
    name: 'what was read and never answered counts as not sent',
    row: 'deliver',
    edits: [
      {
        file: 'host/outbound/receipt.ts',
        from: 'const mayBeDuplicate = sent.maybeSeen && !idempotent;',
        to: 'const mayBeDuplicate = false && idempotent;',
      },
    ],
  },
  {
    name: 'a second copy does not say so',
    row: 'deliver',
    edits: [
      {
        file: 'host/outbound/unended.ts',
        from: 'isIdempotent(channel) ? 0 : 1;',
        to: 'isIdempotent(channel) ? 0 : 0;',
      },
    ],
  },
  {
    name: 'a retry does not outlive its host',
    row: 'deliver',
    edits: [
      {
        file: 'host/outbound/deliver.ts',
        from: `if (waitMs > 0) this.#again(address, Math.min(waitMs, LIMITS.retryAfterMs), dueAt ?? '');
      else await`,
        to: 'if (waitMs <= 0) await',
      },
    ],
  },
  {
    name: 'what a platform refuses is told to nobody',
    row: 'deliver',
    edits: [
      { file: 'host/outbound/deliver.ts', from: `told: after.state === 'dead' ?`, to: `told: after.state === '' ?` },
    ],
  },
  {
    name: 'a stop that is given up is told to nobody',
    row: 'after an exit',
    edits: [
      {
        file: 'host/outbound/settle.ts',
        from: `row.state === 'done' ? 'Stopped.' : failureText(row.reason)`,
        to: `row.state === 'done' ? 'Stopped.' : null`,
      },
    ],
  },
  {
    name: 'no collect after an exit',
    row: 'after an exit',
    edits: [
      {
        file: 'host/sessions/actor.ts',
        from: 'const looked = await this.#watch.lastLook(',
        to: `const looked = run >= 0 ? { seen: 'all' } : await this.#watch.lastLook(`,
      },
    ],
  },
  {
    name: 'no run takes back what another left half written',
    row: 'after an exit',
    edits: [
      {
        file: 'host/sessions/recover-run.ts',
        from: 'recover: () => takeBack(deps, from, it, isOver)',
        to: 'recover: () => Promise.resolve(true)',
      },
    ],
  },
];
