/** Who one talks to, said once when a terminal opens. */
import type { AgentView } from '../../host/api/contract.ts';

const SCRIPTS: Readonly<Record<string, string>> = {
  demo: 'a script, no model',
  mock: 'a script for tests, no model',
};

export function banner({ name, provider, model, sandbox }: AgentView): string {
  const thinks = model ?? SCRIPTS[provider];
  const place = sandbox === 'process' ? 'no sandbox' : `sandbox ${sandbox}`;
  const who = `${name}: ${provider}${thinks === undefined ? '' : ` (${thinks})`}, ${place}`;
  return `${who}\n/help  what you can write besides\nCtrl-D leaves, Ctrl-C stops its work`;
}
