import type { Edit } from '../sim/hooks.ts';

export type Mutant = { name: string; edits: readonly Edit[] };
export const mutants: readonly Mutant[] = [];
