/**
 * One turn: a batch becomes a prompt, late arrivals are pushed into it, and each result settles exactly the messages that
 * the provider has reported as seen before it. What was pushed and not seen stays open for the next turn.
 */
import type { InboundMessage, NewAck } from '@halfdoor/protocol/message';
import type { OutboundWriter } from '@halfdoor/protocol/runner';
import { parseAnswer } from './answer.ts';
import type { Around, Intake } from './intake.ts';
import type { Life } from './life.ts';
import type { Preview } from './preview.ts';
import { alreadySaid, block, instructions, nudge } from './prompt.ts';
import type { AgentProvider, AgentQuery, ErrorKind, PromptMessage, ProviderEvent } from './providers/provider.ts';
import type { Saying, Sendable, Speaker } from './speaker.ts';

export type TurnDeps = {
  outbound: OutboundWriter;
  intake: Intake;
  life: Life;
  preview: Preview;
  speaker: Speaker;
  provider: AgentProvider;
  /** Key of this provider's continuation in session_state. */
  continuationKey: string;
  /** The agent's own instructions, read anew for each turn. */
  ownInstructions(): string;
  cwd: string;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** Leaves what is answered open until the model's quota resets. */
  park(saying: Saying, resetsAt: string | null, reason: string): void;
};

const TRANSIENT_TRIES = 5;
const BACKOFF_MS = 250;
const BACKOFF_MAX_MS = 5_000;
const REASON_CHARS = 500;

type Ending = 'over' | 'again' | 'afresh';
type Failure = { kind: ErrorKind; message: string; spent: boolean; resetsAt?: string | undefined };

export class Turn {
  readonly id: string;
  readonly #deps: TurnDeps;
  readonly #abort = new AbortController();
  /** In the prompt or pushed, and not settled. */
  readonly #given = new Map<string, InboundMessage>();
  readonly #seen = new Set<string>();
  #query: AgentQuery | null = null;
  #said = false;
  /** Something was sent while the provider went on: an answer without a word is no oversight then. */
  #saidBetween = false;
  #nudged = false;
  #scratch: string[] = [];
  /** Names it wrote to that are none of its destinations. */
  readonly #nowhere = new Set<string>();
  #transient = 0;
  #afresh = false;
  /** Left open for another day: nothing more is to be asked of the model in this run. */
  parked = false;

  constructor(deps: TurnDeps, id: string, batch: InboundMessage[]) {
    this.#deps = deps;
    this.id = id;
    for (const message of batch) this.#given.set(message.id, message);
  }

  /** Runs to its end. Every failure is settled, except `fenced` and the like, which are thrown. */
  async run(): Promise<void> {
    const { outbound, intake, speaker, life, preview } = this.#deps;
    speaker.forget();
    preview.turn();
    for (let ending: Ending = 'again'; ending !== 'over';) {
      this.#claim();
      preview.begin();
      life.show('thinking', null);
      const given = [...this.#given.values()];
      const said = speaker.begin(outbound.saidBefore(given.filter((it) => intake.isOlderThanRun(it))));
      const around = intake.around();
      ending = await this.#converse(promptFor(given, around, alreadySaid(said)), around);
    }
  }

  /** What the agent is answering now, said by the tool, too: what it has seen, and before it has said so, what it was given. */
  get saying(): Saying {
    return { turn: this.id, answers: [...(this.#seen.size > 0 ? this.#seen : this.#given.keys())] };
  }

  has(id: string): boolean {
    return this.#given.has(id);
  }

  /** Aborted: its provider may still be at work, but speaks for nobody. */
  get aborted(): boolean {
    return this.#abort.signal.aborted;
  }

  noteSaid(): void {
    this.#said = true;
  }

  /** A message that came while this turn runs. Silent ones are left for the next batch. */
  push(messages: InboundMessage[]): void {
    const query = this.#query;
    const fresh = messages.filter((it) => it.wakes && !this.#given.has(it.id));
    if (query === null || fresh.length === 0 || this.#abort.signal.aborted) return;
    for (const message of fresh) this.#given.set(message.id, message);
    this.#claim();
    const around = this.#deps.intake.around();
    for (const message of fresh) query.push(promptFor([message], around, ''));
  }

  /** Ends the turn now: nothing more of it is sent. */
  async abort(): Promise<void> {
    this.#abort.abort();
    await this.#query?.abort();
  }

  #claim(): void {
    this.#deps.life.claim(this.id, [...this.#given.keys()]);
  }

  async #converse(prompt: PromptMessage, { destinations, folder }: Around): Promise<Ending> {
    const { provider, outbound, continuationKey, cwd } = this.#deps;
    const continuation = outbound.state(continuationKey) ?? undefined;
    const system = instructions(destinations, this.#deps.ownInstructions(), folder);
    if (this.#abort.signal.aborted) return 'over';
    this.#seen.clear();
    const query = provider.query({ prompt, continuation, cwd, systemContext: { instructions: system } });
    this.#query = query;
    let failure: Failure | null = null;
    try {
      for await (const event of query.events) {
        if (this.#abort.signal.aborted) return 'over';
        failure = this.#take(event, query);
        // Handled outside: the provider may wait for its events to be let go before an abort is done.
        if (failure !== null) break;
      }
    } finally {
      this.#query = null;
      this.#deps.preview.begin();
    }
    if (failure !== null) return this.#onFailure(failure, query);
    if (this.#abort.signal.aborted || this.#unanswered(prompt).length === 0) return 'over';
    return this.#onFailure({ kind: 'fatal', message: 'the provider ended without a result', spent: true }, query);
  }

  #unanswered(prompt: PromptMessage): string[] {
    return prompt.ids.filter((id) => this.#given.has(id));
  }

  /** One event; returns a failure that ends this query. */
  #take(event: ProviderEvent, query: AgentQuery): Failure | null {
    switch (event.type) {
      case 'init':
        this.#keepContinuation(event.continuation);
        return null;
      case 'seen':
        for (const id of event.ids) if (this.#given.has(id)) this.#seen.add(id);
        return null;
      case 'asked':
        this.#deps.preview.begin();
        this.#deps.life.show('waiting', null);
        return null;
      case 'delta':
        this.#deps.preview.take(event.text);
        return null;
      case 'progress':
        this.#deps.preview.begin();
        this.#deps.life.show(event.tool ? 'tool' : 'thinking', event.tool ?? null);
        return null;
      case 'interim':
        this.#onInterim(event.text);
        return null;
      case 'activity':
        this.#deps.life.stirred();
        return null;
      case 'usage':
        return null;
      case 'result':
        this.#onResult(event, query);
        return null;
      case 'error':
        return { kind: event.kind, message: event.message, spent: event.spent ?? false, resetsAt: event.resetsAt };
    }
  }

  #keepContinuation(continuation: string): void {
    const { outbound, continuationKey, intake } = this.#deps;
    if (outbound.state(continuationKey) === continuation) return;
    outbound.write('continuation', { state: { [continuationKey]: continuation }, seenSeq: intake.highest });
  }

  /** What of an answer can be sent, and the names that nobody has; all else of it is scratch. */
  #sorted(text: string): { sendable: Sendable[]; unknown: string[] } {
    this.#deps.preview.begin();
    const known = new Map(this.#deps.intake.destinations().map((it) => [it.localName, it]));
    const { messages, scratch } = parseAnswer(text);
    const unknown = messages.filter((it) => !known.has(it.to));
    for (const it of unknown) this.#nowhere.add(it.to);
    const sendable = messages.flatMap(({ to, text: said }) => {
      const destination = known.get(to);
      return destination ? [{ destination, text: said }] : [];
    });
    this.#scratch.push(...unknown.map((it) => `(no destination "${it.to}") ${it.text}`), scratch);
    return { sendable, unknown: unknown.map((it) => it.to) };
  }

  #onInterim(text: string): void {
    for (const { destination, text: said } of this.#sorted(text).sendable) {
      this.#deps.speaker.say(this.saying, destination.localName, said);
      this.#saidBetween = true;
    }
  }

  #onResult({ text, continuation }: Extract<ProviderEvent, { type: 'result' }>, query: AgentQuery): void {
    const { sendable, unknown } = this.#sorted(text);
    const spoke = this.#said || (this.#saidBetween && text.trim() === '');
    if (sendable.length === 0 && !spoke && !this.#nudged) {
      this.#nudged = true;
      query.push({
        ids: [],
        text: nudge(this.#deps.intake.destinations(), unknown),
      });
      return;
    }
    const reason = sendable.length === 0 && !spoke ? this.#whySilent() : null;
    const acks = [...this.#seen].map((messageId): NewAck => ({ messageId, status: 'done', reason }));
    const said = this.#scratch.filter((it) => it !== '').join('\n');
    const state = continuation === undefined ? {} : { [this.#deps.continuationKey]: continuation };
    this.#deps.speaker.settle(this.saying, { messages: sendable, scratch: said, acks, state });
    for (const id of this.#seen) this.#given.delete(id);
    this.#seen.clear();
    this.#scratch = [];
    this.#nowhere.clear();
    this.#said = false;
    this.#saidBetween = false;
    this.#nudged = false;
    this.#transient = 0;
    this.#claim();
    if (this.#given.size === 0) query.end();
    else this.#deps.life.show('thinking', null);
  }

  #whySilent(): string {
    if (this.#nowhere.size === 0) return 'no-reply';
    return `no-destination: ${[...this.#nowhere].join(', ')}`.slice(0, REASON_CHARS);
  }

  async #onFailure(failure: Failure, query: AgentQuery): Promise<Ending> {
    await query.abort();
    if (this.#abort.signal.aborted) return 'over';
    if (failure.kind === 'invalid-session' && !this.#afresh) {
      this.#afresh = true;
      const { outbound, continuationKey, intake } = this.#deps;
      outbound.write('continuation', { state: { [continuationKey]: null }, seenSeq: intake.highest });
      return 'afresh';
    }
    if (failure.kind === 'transient' && !failure.spent && this.#transient + 1 < TRANSIENT_TRIES) {
      await this.#backOff(failure);
      return this.#abort.signal.aborted ? 'over' : 'again';
    }
    this.parked = failure.kind === 'quota';
    if (this.parked) this.#deps.park(this.saying, failure.resetsAt ?? null, failure.message.slice(0, REASON_CHARS));
    else this.#giveUp(failure);
    return 'over';
  }

  async #backOff(failure: Failure): Promise<void> {
    const ms = Math.min(BACKOFF_MS * 2 ** this.#transient, BACKOFF_MAX_MS);
    this.#transient += 1;
    this.#deps.life.show('retrying', failure.message.slice(0, 100));
    await this.#deps.sleep(ms, this.#abort.signal);
  }

  /** What the backend has seen has failed; when it never said so, what stood in the prompt has. */
  #giveUp(failure: Failure): void {
    const ids = this.#seen.size > 0 ? [...this.#seen] : [...this.#given.keys()];
    const reason = `${failure.kind}: ${failure.message}`.slice(0, REASON_CHARS);
    const acks = ids.map((messageId): NewAck => ({ messageId, status: 'failed', reason }));
    const scratch = this.#scratch.filter((it) => it !== '').join('\n');
    this.#deps.speaker.settle(this.saying, { messages: [], scratch, acks, state: {} });
    for (const id of ids) this.#given.delete(id);
  }
}

function promptFor(messages: InboundMessage[], { destinations, zone }: Around, before: string): PromptMessage {
  const blocks = messages.map((it) => block(it, destinations, zone)).filter((it) => it !== '');
  return { ids: messages.map((it) => it.id), text: [before, ...blocks].filter((it) => it !== '').join('\n') };
}
