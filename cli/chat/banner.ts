/** Who one talks to, said once when a terminal connects. */
import type { ChatEvent } from '../../host/api/contract.ts';

type Ready = Extract<ChatEvent, { type: 'ready' }>;

const SCRIPTS: Readonly<Record<string, string>> = {
  demo: 'a script, no model',
  mock: 'a script for tests, no model',
};

export function banner({ agent, provider, model, sandbox }: Ready): string {
  const thinks = model ?? SCRIPTS[provider];
  const place = sandbox === 'process' ? 'no sandbox' : `sandbox ${sandbox}`;
  const who = `${agent}: ${provider}${thinks === undefined ? '' : ` (${thinks})`}, ${place}`;
  return `${who}\n/help  what you can write besides\nCtrl-D leaves; Ctrl-C stops what it is at`;
}
