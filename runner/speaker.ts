/**
 * Writes what the agent says. In the replay of a turn that died, and only there, each message already said absorbs one
 * equal repeat, so that a model that says the same again does not say it twice. A try that failed within a turn counts too.
 */
import { createHash } from 'node:crypto';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Destination, NewAck, NewOutbound, OutboundMessage } from '@halfdoor/protocol/message';
import type { OutboundWriter } from '@halfdoor/protocol/runner';
import type { Intake } from './intake.ts';

type Deps = { outbound: OutboundWriter; intake: Intake; newId(): string; now(): string; ring(): void };
/** A message whose destination the agent has. */
export type Sendable = { destination: Destination; text: string };
export type Saying = { turn: string; answers: string[] };
/** A message that went out. */
export type Said = { seq: number; destination: string; text: string; files: readonly string[] };

export class UnknownDestination extends Error {
  constructor(name: string, known: readonly Destination[]) {
    super(`no destination named "${name}"; yours are: ${known.map((it) => it.localName).join(', ') || 'none'}`);
    this.name = 'UnknownDestination';
  }
}

export class Speaker {
  readonly #deps: Deps;
  #said = new Map<string, number[]>();
  #saidNow: Said[] = [];

  constructor(deps: Deps) {
    this.#deps = deps;
  }

  /**
   * A try at a turn begins. What earlier tries sent in answer to the same messages, in an earlier run or in this turn,
   * absorbs one equal repeat each. Returns it, so that the agent can be told.
   */
  begin(before: readonly OutboundMessage[]): readonly Said[] {
    const said = [...before.flatMap((it) => (it.kind === 'message' ? [it] : [])), ...this.#saidNow];
    this.#said = new Map();
    for (const it of said) {
      const key = keyOf(it.destination, it.text, it.files);
      this.#said.set(key, [...(this.#said.get(key) ?? []), it.seq]);
    }
    return said;
  }

  /** What the turn has said so far is settled, or the turn is over: none of it counts as said before any more. */
  forget(): void {
    this.#saidNow = [];
  }

  /** Sends at once. Returns the seqs; `repeated` when an earlier run had said exactly this. Throws `UnknownDestination`. */
  say(saying: Saying, to: string, text: string, files: string[] = []): { seqs: number[]; repeated: boolean } {
    const destination = this.#find(to);
    const before = this.#absorb(to, text, files);
    if (before !== null) return { seqs: [before], repeated: true };
    const messages = this.#rows(saying, destination, text, files);
    const seqs = this.#deps.outbound.write('say', { messages, seenSeq: this.#deps.intake.highest });
    this.#saidNow.push({ seq: seqs[0] ?? 0, destination: to, text, files });
    this.#deps.ring();
    return { seqs, repeated: false };
  }

  /** Sends without looking whether there is such a destination: the host refuses what was not given. Returns the seq. */
  attempt(saying: Saying, to: string, text: string): number {
    const message: NewOutbound = {
      id: this.#deps.newId(),
      ...saying,
      timestamp: this.#deps.now(),
      ...{ kind: 'message', destination: to, thread: null, text },
    };
    const [seq = 0] = this.#deps.outbound.write('say', { messages: [message], seenSeq: this.#deps.intake.highest });
    this.#deps.ring();
    return seq;
  }

  /** Last messages, scratch, acks and state in one transaction: no reply without ack, no ack without reply. */
  settle(
    saying: Saying,
    it: {
      messages: { destination: Destination; text: string }[];
      scratch: string;
      acks: NewAck[];
      state: Record<string, string | null>;
    },
  ): void {
    const rows = it.messages.flatMap(({ destination, text }) =>
      this.#absorb(destination.localName, text) === null ? this.#rows(saying, destination, text) : [],
    );
    const scratch = it.scratch === '' ? [] : [this.#scratch(saying, it.scratch)];
    const messages = [...rows, ...scratch];
    this.#deps.outbound.write('settle', {
      messages,
      acks: it.acks,
      state: it.state,
      seenSeq: this.#deps.intake.highest,
    });
    this.forget();
    this.#deps.intake.settled(new Set(it.acks.map((ack) => ack.messageId)));
    this.#deps.ring();
  }

  #find(name: string): Destination {
    const known = this.#deps.intake.destinations();
    const found = known.find((it) => it.localName === name);
    if (!found) throw new UnknownDestination(name, known);
    return found;
  }

  #absorb(to: string, text: string, files: readonly string[] = []): number | null {
    if (this.#said.size === 0) return null;
    return this.#said.get(keyOf(to, text, files))?.shift() ?? null;
  }

  /** What goes with a text goes with its last part. */
  #rows(saying: Saying, destination: Destination, text: string, files: string[] = []): NewOutbound[] {
    const thread = this.#deps.intake.threadOf(destination);
    return split(text, LIMITS.textOutBytes).map((part, n, parts) => ({
      id: this.#deps.newId(),
      ...saying,
      timestamp: this.#deps.now(),
      kind: 'message',
      destination: destination.localName,
      thread,
      text: part,
      files: n === parts.length - 1 ? files : [],
    }));
  }

  #scratch(saying: Saying, text: string): NewOutbound {
    const kept = Buffer.from(text).subarray(0, LIMITS.scratchBytesPerTurn).toString('utf8').toWellFormed();
    return { id: this.#deps.newId(), ...saying, timestamp: this.#deps.now(), kind: 'scratch', text: kept };
  }
}

const keyOf = (to: string, text: string, files: readonly string[]): string =>
  [to, createHash('sha256').update(text.toWellFormed()).digest('base64'), ...files].join('/');

/** Cuts at line ends where there are any, so that each part has at most `maxBytes` bytes. */
export function split(text: string, maxBytes: number): string[] {
  const whole = text.toWellFormed();
  if (Buffer.byteLength(whole) <= maxBytes) return [whole];
  const parts: string[] = [];
  let rest = Buffer.from(whole);
  while (rest.length > maxBytes) {
    const newline = rest.lastIndexOf(0x0a, maxBytes - 1);
    let cut = newline > maxBytes / 2 ? newline + 1 : maxBytes;
    // Never inside a character: continuation bytes are 10xxxxxx.
    while (cut > 0 && ((rest[cut] ?? 0) & 0xc0) === 0x80) cut -= 1;
    parts.push(rest.subarray(0, cut).toString('utf8'));
    rest = rest.subarray(cut);
  }
  if (rest.length > 0) parts.push(rest.toString('utf8'));
  return parts;
}
