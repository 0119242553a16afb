/** Which hosts an agent's rules name. Without a rule there is none. */
import { isPreset, PRESET_HOSTS, SEARCH } from './presets.ts';
import { normalHost } from './target.ts';

/** A rule as it is kept: an exact name, `*.name` for every name below it but not itself, or a preset. Null for anything else. */
export function parseRule(text: string): string | null {
  if (isPreset(text)) return text;
  const below = text.startsWith('*.');
  const host = normalHost(below ? text.slice(2) : text);
  if (host === null) return null;
  return below ? `*.${host}` : host;
}

/** The rule that names this host, both in their normal form; null when none does. */
export const ruleFor = (rules: readonly string[], host: string): string | null =>
  rules.find((rule) => names(rule, host)) ?? null;

function names(rule: string, host: string): boolean {
  if (rule.startsWith('*.')) return host.endsWith(rule.slice(1));
  if (!isPreset(rule)) return rule === host;
  if (rule === SEARCH) return false;
  return rule === 'web' || (PRESET_HOSTS[rule] as readonly string[]).includes(host);
}
