/** A script that shows the sandbox from inside to somebody who has no model yet. It calls none and needs no key. */
import type { AgentProvider, ProviderDeps } from '../provider.ts';
import { DemoQuery } from './query.ts';

export const demoProvider = (deps: ProviderDeps): AgentProvider => ({
  supportsNativeSlashCommands: false,
  query: (input) => new DemoQuery(deps, input),
  isSessionInvalid: () => false,
});
