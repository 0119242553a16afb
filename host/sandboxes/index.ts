/** Every kind there is, by name. */
import { join } from 'node:path';
import type { Home } from '../home.ts';
import { bubblewrapSandbox } from './bubblewrap.ts';
import { makeEtc } from './etc.ts';
import { processSandbox } from './process.ts';
import { sandboxRoot } from './root.ts';
import type { Sandbox, SandboxKind } from './sandbox.ts';

export const makeSandboxes = (deps: { home: Home; uid: number }): Readonly<Record<SandboxKind, Sandbox>> => ({
  bubblewrap: bubblewrapSandbox({
    etc: makeEtc(join(deps.home.root, 'etc'), deps.home.label),
    root: () => sandboxRoot(deps.home),
    uid: deps.uid,
  }),
  process: processSandbox(),
});
