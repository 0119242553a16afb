/** Which providers this runner has. Each is loaded when it is asked for and not before: cold start is paid for by all. */
import type { AgentProvider, ProviderDeps } from './provider.ts';

type Load = () => Promise<(deps: ProviderDeps) => AgentProvider>;

const PROVIDERS: Readonly<Record<string, Load>> = {
  demo: async () => (await import('./demo/index.ts')).demoProvider,
  direct: async () => (await import('./direct/index.ts')).directProvider,
  mock: async () => (await import('./mock.ts')).mockProvider,
};

/** Throws when there is none of this name. */
export async function loadProvider(name: string, deps: ProviderDeps): Promise<AgentProvider> {
  const load = Object.hasOwn(PROVIDERS, name) ? PROVIDERS[name] : undefined;
  if (!load) throw new Error(`this runner has no provider named ${name}`);
  return (await load())(deps);
}
