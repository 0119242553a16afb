/** What every look at a home is given. */
import type { CentralLook } from '../db/inspect.ts';
import type { Home } from '../home.ts';

export type Ground = {
  home: Home;
  uid: number;
  /** Where the temp folder is, and what the host's environment says of run dirs. */
  temp: string;
  env: { XDG_RUNTIME_DIR?: string | undefined };
  now(): Date;
  /** Whether a host holds the home. */
  held: boolean;
  central: CentralLook;
  /** The checkout. */
  root: string;
};
