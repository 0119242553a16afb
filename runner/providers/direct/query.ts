/**
 * One conversation with the model: request → tools → request, until it answers without a tool. What is pushed is folded
 * in before the next request. A request that fails in passing is made again here, so that tools that ran do not run twice.
 */
import type { ModelMessage } from 'ai';
import type { PromptMessage, ProviderDeps, ProviderEvent, QueryInput, Tool } from '../provider.ts';
import { QueuedQuery } from '../queued-query.ts';
import { readConversation, writeConversation } from './conversation.ts';
import { ProblemError, problemOf, TOO_LONG } from './errors.ts';
import type { Model } from './model.ts';
import { request, type Step } from './request.ts';
import { ownTools } from './tools.ts';

const STEPS = 100;
const TRIES = 5;
const BACKOFF_MS = 250;
const BACKOFF_MAX_MS = 5_000;
/** An endpoint that asks to be left alone for longer than this says so as a used-up quota. */
const WAIT_MAX_MS = 60_000;

export class DirectQuery extends QueuedQuery {
  readonly #deps: ProviderDeps;
  readonly #model: Model;
  readonly #input: QueryInput;
  readonly #tools: readonly Tool[];
  #messages: ModelMessage[] = [];

  constructor(deps: ProviderDeps, model: Model, input: QueryInput) {
    super(input.prompt);
    this.#deps = deps;
    this.#model = model;
    this.#input = input;
    this.#tools = [
      ...ownTools({ cwd: input.cwd, env: deps.env, refusals: deps.refusals, signal: this.signal }),
      ...deps.tools,
    ];
  }

  protected override async *run(): AsyncGenerator<ProviderEvent> {
    try {
      this.#messages = readConversation(this.#input.continuation);
      for (;;) {
        const prompt = await this.queue.take(this.signal);
        if (prompt === null) return;
        yield* this.#answer(prompt);
      }
    } catch (error) {
      if (!this.signal.aborted) yield { type: 'error', ...problemOf(error), spent: true };
    }
  }

  /** Until the model answers what it was given. Throws what ends the query. */
  async *#answer(prompt: PromptMessage): AsyncGenerator<ProviderEvent> {
    this.#give(prompt);
    let unseen = prompt.ids;
    for (let n = 0; n < STEPS; n++) {
      for (const pushed of this.queue.takeAll()) {
        this.#give(pushed);
        unseen = [...unseen, ...pushed.ids];
      }
      const step = yield* this.#step();
      if (unseen.length > 0) yield { type: 'seen', ids: unseen };
      unseen = [];
      this.#messages.push(...step.messages);
      yield { type: 'usage', inputTokens: step.inputTokens, outputTokens: step.outputTokens };
      if (step.calls.length === 0) {
        const continuation = writeConversation(this.#messages);
        if (continuation === null) throw new ProblemError(TOO_LONG);
        yield { type: 'result', text: step.text, continuation };
        return;
      }
      if (step.text.trim() !== '') yield { type: 'interim', text: step.text };
      yield* this.#useTools(step);
    }
    throw new ProblemError({ kind: 'fatal', message: `no answer after ${STEPS} steps` });
  }

  #give({ text }: PromptMessage): void {
    this.#messages.push({ role: 'user', content: text });
  }

  /** One request, made again when it fails in passing. */
  async *#step(): AsyncGenerator<ProviderEvent, Step> {
    const { signal } = this;
    for (let n = 1; ; n++) {
      yield { type: 'asked' };
      try {
        const { instructions } = this.#input.systemContext;
        return yield* request({ ...this.#model, instructions, messages: this.#messages, tools: this.#tools, signal });
      } catch (error) {
        signal.throwIfAborted();
        const problem = problemOf(error);
        if (problem.kind !== 'transient' || n === TRIES) throw new ProblemError(problem);
        yield { type: 'progress', text: problem.message, tool: null };
        const backOffMs = Math.min(BACKOFF_MS * 2 ** (n - 1), BACKOFF_MAX_MS);
        await this.#deps.sleep(Math.max(backOffMs, Math.min(problem.waitMs ?? 0, WAIT_MAX_MS)), signal);
        signal.throwIfAborted();
      }
    }
  }

  /** One after the other, in the order the model asked. What fails is told to the model. */
  async *#useTools({ calls }: Step): AsyncGenerator<ProviderEvent> {
    const results = [];
    for (const { id, name, input, fault } of calls) {
      this.signal.throwIfAborted();
      yield { type: 'progress', text: name, tool: name };
      const tool = this.#tools.find((it) => it.name === name);
      const output =
        fault !== null || tool === undefined
          ? ({ type: 'error-text', value: fault ?? `there is no tool named ${name}` } as const)
          : await tool.run(input).then(
              (value) => ({ type: 'text', value }) as const,
              (error: unknown) =>
                ({ type: 'error-text', value: error instanceof Error ? error.message : String(error) }) as const,
            );
      results.push({ type: 'tool-result' as const, toolCallId: id, toolName: name, output });
    }
    this.#messages.push({ role: 'tool', content: results });
  }
}
