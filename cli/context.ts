/** What every verb is given. */
import type { Api } from './api.ts';
import type { Printer } from './printer.ts';

export type Context = {
  /** Absolute path of the home. */
  home: string;
  /** The checkout. */
  root: string;
  uid: number;
  env: NodeJS.ProcessEnv;
  cwd: string;
  /** --yes or CI=true: questions are answered. */
  yes: boolean;
  api: Api;
  printer: Printer;
};
