/** One answer after the other: what was asked for is done, then said in pieces, as a model would. */
import type { ProviderDeps, ProviderEvent, QueryInput } from '../provider.ts';
import { addressed, messagesIn, noticesIn } from '../prompt-text.ts';
import { QueuedQuery } from '../queued-query.ts';
import { command, runOwn } from './command.ts';
import { destinations } from './destinations.ts';
import { door } from './door.ts';
import { look } from './look.ts';
import { network } from './network.ts';
import { messageOf, placeAt, type Place } from './place.ts';
import { readMemory, wishOf, writeMemory, type Memory, type Topic, type Wish } from './wish.ts';
import { closing, INTRODUCTION, list, UNCLEAR } from './words.ts';
import { writeFile } from './write-file.ts';

const PIECES = 10;
/** Of one answer, all pieces together 250 ms. */
const PIECE_MS = 25;

const SHOWS: Record<Topic, (place: Place) => string | Promise<string>> = {
  look,
  file: writeFile,
  command,
  network,
  destinations,
  door,
};

export class DemoQuery extends QueuedQuery {
  readonly #deps: ProviderDeps;
  readonly #place: Place;
  #memory: Memory | null;

  constructor(deps: ProviderDeps, input: QueryInput) {
    super(input.prompt);
    this.#deps = deps;
    this.#memory = readMemory(input.continuation);
    this.#place = placeAt({ ...deps, cwd: input.cwd, signal: this.signal });
  }

  protected override async *run(): AsyncGenerator<ProviderEvent> {
    for (;;) {
      const prompt = await this.queue.take(this.signal);
      if (prompt === null) return;
      if (prompt.ids.length > 0) yield { type: 'seen', ids: prompt.ids };
      const notices = noticesIn(prompt.text).map((it) => `The host told me: ${it}`);
      const answers: string[] = [];
      for (const { from, text } of messagesIn(prompt.text)) {
        const wish = wishOf(text);
        if (isWork(wish)) yield { type: 'progress', text: 'shell', tool: 'shell' };
        const said = await this.#answer(wish);
        answers.push(addressed(from, [...notices.splice(0), said].join('\n')));
      }
      const answer = answers.join('\n\n');
      yield* this.#write(answer);
      if (this.signal.aborted) return;
      yield { type: 'result', text: answer, continuation: writeMemory(this.#memory ?? { shown: [] }) };
    }
  }

  async *#write(answer: string): AsyncGenerator<ProviderEvent> {
    const chars = Math.ceil(answer.length / PIECES) || 1;
    for (let at = 0; at < answer.length && !this.signal.aborted; at += chars) {
      yield { type: 'delta', text: answer.slice(at, at + chars) };
      await this.#deps.sleep(PIECE_MS, this.signal);
    }
  }

  async #answer(wish: Wish): Promise<string> {
    const isFirst = this.#memory === null;
    const memory = (this.#memory ??= { shown: [] });
    if (wish === 'list' || (isFirst && wish === 'unclear')) return [INTRODUCTION, list()].join('\n');
    if (wish === 'unclear') return [UNCLEAR, list()].join('\n');
    const shown = await this.#show(wish).catch((error: unknown) => `That did not work: ${messageOf(error)}`);
    const topic = 'show' in wish ? wish.show : 'command';
    if (!memory.shown.includes(topic)) memory.shown.push(topic);
    return [...(isFirst ? [INTRODUCTION] : []), shown, closing(memory.shown)].join('\n');
  }

  async #show(wish: { show: Topic } | { run: string }): Promise<string> {
    return 'run' in wish ? runOwn(this.#place, wish.run) : SHOWS[wish.show](this.#place);
  }
}

/** Whether it may take a while. */
const isWork = (wish: Wish): boolean => typeof wish === 'object' && 'run' in wish;
