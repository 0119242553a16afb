/** Answers that were given beforehand: by --yes, by a file, or both. Nobody is asked. */
import { readFileSync } from 'node:fs';
import { Failure } from '../failure.ts';
import type { Asker } from './asker.ts';

export type Answers = Readonly<Record<string, string | boolean>>;

/** What may stand in a file of answers. */
export const ANSWER_IDS = ['install', 'provider', 'keep', 'base-url', 'api', 'key', 'model', 'agent', 'check'] as const;

const FORM = 'It is one JSON object, for example {"provider": "demo", "agent": "helper"}.';

/** Throws `Failure` (wrong use) for a file that is not one, or that answers what is never asked. */
export function readAnswers(path: string): Answers {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new Failure(`the answers in ${path} cannot be read: ${(error as Error).message}`, FORM, 2);
  }
  const value = parse(text);
  if (value === null) throw new Failure(`${path} is no file of answers`, FORM, 2);
  for (const [id, answer] of Object.entries(value)) {
    if (!ANSWER_IDS.some((known) => known === id)) {
      throw new Failure(`nothing named ${JSON.stringify(id)} is asked`, `There are: ${ANSWER_IDS.join(', ')}.`, 2);
    }
    if (typeof answer !== 'string' && typeof answer !== 'boolean') {
      throw new Failure(`the answer to ${id} is neither text nor true or false`, FORM, 2);
    }
  }
  return value as Answers;
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** Takes the answer given, else what the question itself would take. Throws `Failure` for an answer that does not fit. */
export function answersAsker(answers: Answers, note: (text: string) => void): Asker {
  const misfit = (id: string, answer: string | boolean, next: string): never => {
    throw new Failure(`${JSON.stringify(answer)} is no answer to ${id}`, next, 2);
  };
  const textOf = (id: string, otherwise: string): string => {
    const answer = answers[id] ?? otherwise;
    return typeof answer === 'string' ? answer : misfit(id, answer, 'Give text.');
  };
  return {
    person: false,
    say: note,
    confirm: ({ id, otherwise }) => {
      const answer = answers[id] ?? otherwise;
      return Promise.resolve(typeof answer === 'boolean' ? answer : misfit(id, answer, 'Give true or false.'));
    },
    select: ({ id, otherwise, options }) => {
      const answer = textOf(id, otherwise);
      const known = options.map((it) => it.value);
      return Promise.resolve(known.includes(answer) ? answer : misfit(id, answer, `There are: ${known.join(', ')}.`));
    },
    text: ({ id, otherwise, problem }) => {
      const answer = textOf(id, otherwise);
      const wrong = problem?.(answer) ?? null;
      return Promise.resolve(wrong === null ? answer : misfit(id, answer, `${wrong}.`));
    },
    // A key in a file of answers would be one more place where it lies: it comes from the environment, or is kept already.
    secret: () => Promise.resolve(null),
    close: () => {},
  };
}
