/** Questions on a terminal that can be drawn on. */
import { confirm, isCancel, log, password, select, text } from '@clack/prompts';
import { visible } from '../visible.ts';
import type { Asker, Terminal } from './asker.ts';

export function clackAsker({ input, output }: Terminal): Asker {
  const common = { input, output };
  const answered = <T>(value: T): Exclude<T, symbol> | null => (isCancel(value) ? null : (value as Exclude<T, symbol>));
  return {
    person: true,
    say: (it) => log.message(visible(it), { output }),
    confirm: async ({ ask, otherwise }) =>
      answered(await confirm({ message: ask, initialValue: otherwise, ...common })),
    select: async ({ ask, options, otherwise }) =>
      answered(await select({ message: ask, options: [...options], initialValue: otherwise, maxItems: 12, ...common })),
    text: async ({ ask, otherwise, problem }) => {
      const validate = (typed: string | undefined): string | undefined =>
        problem?.(typed?.trim() || otherwise) ?? undefined;
      const shown = { message: ask, placeholder: otherwise, defaultValue: otherwise, validate };
      const value = answered(await text({ ...shown, ...common }));
      return value === null ? null : value.trim() || otherwise;
    },
    secret: async ({ ask }) => answered(await password({ message: ask, ...common })),
    close: () => {},
  };
}
