/** What a host has for files: the copies of what agents send, and what is swept when. */
import type { Home } from '../home.ts';
import { Outbox, type OutboxDeps } from './outbox.ts';
import { sweepHalfMade, sweepOver } from './sweep.ts';

export type Files = {
  outbox: Outbox;
  /** At the start, before anything is accepted or collected. */
  sweepHalfMade(): Promise<void>;
  /** Of what was made before this id, everything that is over. */
  sweep(before: string): Promise<void>;
};

export function makeFiles(deps: Omit<OutboxDeps, 'folder'> & { home: Home }): Files {
  const outbox = new Outbox({ ...deps, folder: deps.home.outbox });
  const sweeping = { ...deps, outbox };
  return {
    outbox,
    sweepHalfMade: () => sweepHalfMade(sweeping),
    sweep: (before) => sweepOver(sweeping, before),
  };
}
