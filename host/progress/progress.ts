/**
 * What a session is doing → every place where somebody waits for it, in the style of its wiring. Begun when a message
 * is taken up, over when it is settled or the session sleeps. It never holds up a message: all of it hangs on signals.
 */
import type { Progress } from '@halfdoor/protocol/host';
import type { Address } from '@halfdoor/protocol/message';
import type { Channel } from '../channels/channel.ts';
import type { Clock } from '../clock.ts';
import type { Central } from '../db/central.ts';
import { errorText, type Log } from '../log.ts';
import { chatBehind } from '../outbound/authorize.ts';
import type { Signals } from '../signals.ts';
import { waitingPlaces, type Place } from './places.ts';
import { forgetPreview, notePreview, takeAwayPreviews } from './previews.ts';
import { Showing } from './showing.ts';
import { stepLine, styleFor, unfinished } from './style.ts';
import { Written } from './written.ts';

export type ProgressDeps = {
  central: Central;
  signals: Signals;
  clock: Clock;
  log: Log;
  newId(): string;
  now(): string;
  channel(name: string): Channel | undefined;
  /** Whether there is any channel beside the terminal; without one nothing here costs anything. */
  hasChannels(): boolean;
};

/** From one change of a message to the next, alone with one person and among many. */
const CHANGE_MS = { dm: 1_200, group: 3_000 } as const;

type Turn = {
  agentId: string;
  showings: Map<string, Showing>;
  written: Written;
  /** What was told last: also for a place that is found only now. */
  last: Progress | null;
  looking: boolean;
  again: boolean;
};

const noTurn = (agentId: string): Turn => ({
  ...{ agentId, showings: new Map(), written: new Written() },
  ...{ last: null, looking: false, again: false },
});

export class ProgressTeller {
  readonly #deps: ProgressDeps;
  /** By session, while something is shown for it. */
  readonly #turns = new Map<string, Turn>();
  readonly #ends: (() => void)[];

  constructor(deps: ProgressDeps) {
    this.#deps = deps;
    const { signals } = deps;
    this.#ends = [
      signals.on('traffic', ({ sessionId }) => this.#look(sessionId)),
      signals.on('settled', () => [...this.#turns.keys()].forEach((sessionId) => this.#look(sessionId))),
      signals.on('session', ({ sessionId, agentId, state }) => {
        if (state === 'asleep') this.#over(sessionId);
        else if (state !== 'stopping') this.#begin(sessionId, agentId);
      }),
      signals.on('progress', ({ sessionId, agentId, progress }) => this.#tell(sessionId, agentId, progress)),
    ];
  }

  /** Takes away what a host before left standing. */
  start(): Promise<void> {
    return this.#unless(takeAwayPreviews(this.#deps));
  }

  async close(): Promise<void> {
    for (const end of this.#ends) end();
    const showings = [...this.#turns.values()].flatMap((turn) => [...turn.showings.values()]);
    this.#turns.clear();
    await Promise.all(showings.map((it) => it.end()));
  }

  #begin(sessionId: string, agentId: string): void {
    if (!this.#deps.hasChannels()) return;
    if (!this.#turns.has(sessionId)) this.#turns.set(sessionId, noTurn(agentId));
    this.#look(sessionId);
  }

  #over(sessionId: string): void {
    const turn = this.#turns.get(sessionId);
    this.#turns.delete(sessionId);
    for (const showing of turn?.showings.values() ?? []) void showing.end();
  }

  /** Who waits now; once more if it was asked meanwhile. */
  #look(sessionId: string): void {
    const turn = this.#turns.get(sessionId);
    if (!turn) return;
    turn.again = turn.looking;
    if (turn.looking) return;
    turn.looking = true;
    void waitingPlaces(this.#deps.central.read, sessionId)
      .then((places) => this.#show(turn, this.#turns.get(sessionId) === turn ? places : []))
      .catch((error: unknown) => this.#deps.log.warn('progress is not shown', { error: errorText(error) }))
      .finally(() => {
        turn.looking = false;
        if (turn.again) this.#look(sessionId);
      });
  }

  #show(turn: Turn, places: readonly Place[]): void {
    const wanted = new Map(places.map((it) => [JSON.stringify(it.address), it]));
    for (const [key, showing] of turn.showings) {
      if (wanted.has(key)) continue;
      turn.showings.delete(key);
      void showing.end();
    }
    for (const [key, place] of wanted) {
      if (turn.showings.has(key)) continue;
      const showing = this.#showingFor(place);
      if (showing === null) continue;
      turn.showings.set(key, showing);
      showing.start();
      if (turn.last) void this.#apply(turn, [showing], turn.last);
    }
  }

  #showingFor({ address, kind, progress }: Place): Showing | null {
    const { central, clock, newId, now } = this.#deps;
    const channel = this.#deps.channel(address.channel);
    const style = channel ? styleFor(progress, kind, channel.capabilities) : 'off';
    if (!channel || style === 'off') return null;
    return new Showing({
      ...{ channel, address, style, clock, newId },
      changeMs: CHANGE_MS[kind],
      shown: (platformId) => this.#unless(notePreview(central, address, platformId, now())),
      gone: (platformId) => this.#unless(forgetPreview(central, address, platformId)),
    });
  }

  #tell(sessionId: string, agentId: string, progress: Progress): void {
    if (progress.state !== 'idle') this.#begin(sessionId, agentId);
    const turn = this.#turns.get(sessionId);
    if (!turn) return;
    turn.last = progress;
    void this.#apply(turn, [...turn.showings.values()], progress);
  }

  async #apply(turn: Turn, showings: readonly Showing[], progress: Progress): Promise<void> {
    const steps = stepLine(progress.state, progress.detail);
    for (const showing of showings) if (showing.style === 'steps') showing.say(steps);
    const streams = showings.filter((it) => it.style === 'stream');
    if (streams.length > 0) await this.#stream(turn, streams, progress);
  }

  /** A piece goes to the place that its destination stands for, by the same rows that a reply is authorized by. */
  async #stream(turn: Turn, streams: readonly Showing[], progress: Progress): Promise<void> {
    const { said, turn: id } = progress;
    if (said === null || id === null) {
      if (progress.state === 'idle') for (const showing of streams) showing.say(null);
      return;
    }
    const chat = await turn.written.placeOf(said.to, () => this.#placeOf(turn.agentId, said.to));
    const text = turn.written.take(id, said);
    for (const showing of streams) {
      const isThere = chat !== null && showing.isFor(chat);
      showing.say(isThere ? unfinished(text, showing.maxTextLength) : null);
    }
  }

  /** A row about a preview that is not written costs a message that stays standing, no more. */
  #unless(written: Promise<void>): Promise<void> {
    return written.catch((error: unknown) =>
      this.#deps.log.warn('a preview is not noted', { error: errorText(error) }),
    );
  }

  #placeOf(agentId: string, name: string): Promise<Pick<Address, 'channel' | 'chat'> | null> {
    return chatBehind(this.#deps.central.read, agentId, name).catch(() => null);
  }
}
