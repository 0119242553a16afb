/**
 * How a person is asked. The steps of set-up know only this: on a terminal that can, @clack/prompts asks; on a plain one,
 * numbered lines; with --yes or a file of answers, nobody is asked.
 */
export type Option = { value: string; label: string; hint?: string };

/** `id` names the question in a file of answers. `otherwise` is taken with --yes, and by return alone. */
export type Question = { id: string; ask: string; otherwise: string };

/** `problem` says what is wrong with an answer, or null: a person is asked again, a file of answers is refused. */
export type TextQuestion = Question & { problem?(answer: string): string | null };

/** Each resolves to null when the person leaves (Ctrl-C, Ctrl-D). */
export interface Asker {
  /** Whether somebody is there to be asked. */
  readonly person: boolean;
  confirm(question: Omit<Question, 'otherwise'> & { otherwise: boolean }): Promise<boolean | null>;
  select(question: Question & { options: readonly Option[] }): Promise<string | null>;
  text(question: TextQuestion): Promise<string | null>;
  /** What is typed is not shown. */
  secret(question: Omit<Question, 'otherwise'>): Promise<string | null>;
  /** A line about what happens. */
  say(text: string): void;
  close(): void;
}

export type Terminal = { input: NodeJS.ReadStream; output: NodeJS.WriteStream };
