/** What a channel leaves outside of its row: a webhook at its platform, and kept secrets. */
import type { Clock } from '../clock.ts';
import { errorText, type Log } from '../log.ts';
import type { Secrets } from '../secrets/secrets.ts';
import { makeBotApi } from './telegram/call.ts';
import { parseSettings, tokenName, webhookSecretName } from './telegram/settings.ts';

export type ForgetDeps = { secrets: Secrets; clock: Clock; log: Log };

export type Removed = { name: string; kind: string; settings: string };

/** What cannot be told to the platform now, it learns when its bot is added somewhere else. */
export async function forgetChannel(deps: ForgetDeps, { name, kind, settings }: Removed, actor: string): Promise<void> {
  if (kind !== 'telegram') return;
  const { secrets, clock, log } = deps;
  try {
    const { baseUrl, webhook } = parseSettings(JSON.parse(settings));
    const found = secrets.lookUp(tokenName(name));
    if (webhook !== null && found.ok) {
      const closed = new AbortController().signal;
      const after: Clock['after'] = (ms, fn) => clock.after(ms, fn);
      const called = await makeBotApi({ baseUrl, token: () => found.value, after, closed }).call('deleteWebhook');
      if (!called.ok) log.warn('the webhook is still set at Telegram', { channel: name });
    }
  } catch (error) {
    log.warn('the webhook may still be set at Telegram', { channel: name, error: errorText(error) });
  }
  const kept = (await secrets.list()).filter((it) => it.from === 'kept').map((it) => it.name);
  for (const secret of [tokenName(name), webhookSecretName(name)]) {
    if (kept.includes(secret)) await secrets.remove(secret, actor);
  }
}
