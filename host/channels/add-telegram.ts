/** Takes a Telegram bot into use: its token is tried before anything is kept, and it takes in from then on. */
import { randomBytes } from 'node:crypto';
import { audit } from '../authority/audit.ts';
import { makePairing } from '../authority/pairing.ts';
import type { PairingView, TelegramInput } from '../api/channel-contract.ts';
import type { Clock } from '../clock.ts';
import type { Central } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { Refusal } from '../refusal.ts';
import type { Secrets } from '../secrets/secrets.ts';
import type { Roster } from './roster.ts';
import { makeBotApi, type BotApi, type NotCalled } from './telegram/call.ts';
import { isToken, PUBLIC_API, tokenName, webhookSecretName, type Bot } from './telegram/settings.ts';
import { troubleOf } from './telegram/trouble.ts';

export type AddTelegramDeps = {
  central: Central;
  secrets: Secrets;
  roster: Roster;
  clock: Clock;
  ids: Ids;
  now(): string;
};
type Checked = { name: string; agent: string; token: string; baseUrl: string; webhook: string | null };

function bad(message: string, next: string): never {
  throw new Refusal('bad-input', message, next);
}

/** Throws `Refusal`: for a token that Telegram does not take, a name that is taken, a bot whose updates go elsewhere. */
export async function addTelegram(deps: AddTelegramDeps, input: TelegramInput, actor: string): Promise<PairingView> {
  const { central, secrets, roster } = deps;
  const it = checked(input);
  const agentId = await agentNamed(central, it.agent);
  const api = makeBotApi({
    baseUrl: it.baseUrl,
    token: () => it.token,
    after: (ms, fn) => deps.clock.after(ms, fn),
    closed: new AbortController().signal,
  });
  await mustBeFree(deps, it.name);
  const bot = await getMe(api, it.name);
  if (it.webhook === null) await freeOfWebhook(api, it.name, input.dropWebhook === true);
  await secrets.set(tokenName(it.name), it.token, actor);
  if (it.webhook !== null) await secrets.set(webhookSecretName(it.name), randomBytes(32).toString('base64url'), actor);
  const settings = JSON.stringify({ baseUrl: it.baseUrl, webhook: it.webhook, bot });
  const row = { name: it.name, kind: 'telegram' as const, settings };
  const pairing = await central.commit('channel', async (tx) => {
    const at = deps.now();
    const { numInsertedOrUpdatedRows: added = 0n } = await tx
      .insertInto('channels')
      .values({ ...row, created_at: at })
      .onConflict((conflict) => conflict.doNothing())
      .executeTakeFirstOrThrow();
    if (added === 0n) throw taken(it.name);
    await audit(tx, { id: deps.ids(), at, actor, action: 'add_channel', target: it.name, agentId });
    return makePairing(tx, { channel: it.name, agentId }, at, randomBytes);
  });
  await roster.add(row);
  return view(it.name, it.agent, bot, pairing);
}

/** Throws `Refusal` when there is no such channel or agent. */
export async function pairTelegram(
  deps: Pick<AddTelegramDeps, 'central' | 'ids' | 'now'>,
  name: string,
  agent: string,
  actor: string,
): Promise<PairingView> {
  const row = await deps.central.read
    .selectFrom('channels')
    .selectAll()
    .where('name', '=', name)
    .where('kind', '=', 'telegram')
    .executeTakeFirst();
  if (!row) throw new Refusal('not-found', `no Telegram channel ${name}`, 'See `./halfdoor channels list`.');
  const agentId = await agentNamed(deps.central, agent);
  const { bot } = JSON.parse(row.settings) as { bot: Bot };
  const pairing = await deps.central.commit('channel', async (tx) => {
    const at = deps.now();
    await audit(tx, { id: deps.ids(), at, actor, action: 'make_pairing', target: name, agentId });
    return makePairing(tx, { channel: name, agentId }, at, randomBytes);
  });
  return view(name, agent, bot, pairing);
}

type Paired = Awaited<ReturnType<typeof makePairing>>;
/** The link opens the bot with the code in it; the code can be sent by hand as well. */
function view(channel: string, agent: string, { username }: Bot, { hash, code, expiresAt }: Paired): PairingView {
  return { id: hash, channel, agent, bot: username, code, link: `https://t.me/${username}?start=${code}`, expiresAt };
}

function checked(input: TelegramInput): Checked {
  const { name = 'telegram', agent, token, baseUrl = PUBLIC_API, webhook = null } = input;
  if (
    typeof name !== 'string' ||
    !/^[a-z][a-z0-9-]{0,29}$/.test(name) ||
    ['terminal', 'http', 'host', 'peer'].includes(name)
  ) {
    bad(
      "a channel's name is 1 to 30 small letters, digits and dashes, beginning with a letter",
      'Choose another name.',
    );
  }
  if (typeof agent !== 'string') bad('no agent is named', 'Say who is to answer there: --agent NAME.');
  if (typeof token !== 'string' || !isToken(token.trim())) {
    bad(
      'this is no token of a Telegram bot',
      'Ask @BotFather in Telegram for one: /newbot. It looks like 123456:ABC-DEF.',
    );
  }
  if (!isSafeUrl(baseUrl)) {
    bad('the base URL is not https, and not http on this machine', 'The token stands in each request: use https.');
  }
  if (webhook !== null && !(isUrl(webhook) && webhook.startsWith('https://'))) {
    bad('a webhook URL begins with https://', 'Telegram takes no other: put a TLS proxy in front.');
  }
  return { name, agent, token: token.trim(), baseUrl: String(baseUrl).replace(/\/+$/, ''), webhook };
}

const isUrl = (url: unknown): url is string => typeof url === 'string' && URL.canParse(url) && url.length <= 1_000;
function isSafeUrl(url: unknown): boolean {
  if (!isUrl(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' || (protocol === 'http:' && /^(localhost|127\.[\d.]+|\[::1\])$/.test(hostname));
}

async function agentNamed({ read }: Central, name: string): Promise<string> {
  const agents = read.selectFrom('agents').select('id').where('deleted_at', 'is', null);
  const row = await agents.where('name', '=', name).executeTakeFirst();
  if (row) return row.id;
  throw new Refusal('not-found', `no agent named ${name}`, 'See `./halfdoor agents list`.');
}

const taken = (name: string): Refusal =>
  new Refusal(
    'exists',
    `a channel named ${name} is there already`,
    `Choose another: --name NAME, or ./halfdoor channels remove ${name}.`,
  );

async function mustBeFree({ central }: AddTelegramDeps, name: string): Promise<void> {
  const row = await central.read.selectFrom('channels').select('name').where('name', '=', name).executeTakeFirst();
  if (row) throw taken(name);
}

function refusal(called: NotCalled, name: string): Refusal {
  const { state, text, next } = troubleOf(called, name, tokenName(name));
  if (state === 'waiting') return new Refusal('unavailable', text, 'Try again.');
  const again = 'Take a token from @BotFather in Telegram, and add the channel again.';
  return new Refusal('bad-input', text, called.by === 'telegram' && called.code === 409 ? next : again);
}

async function getMe(api: BotApi, name: string): Promise<Bot> {
  const called = await api.call('getMe');
  if (!called.ok) throw refusal(called, name);
  const { id, username } = Object(called.result) as { id?: unknown; username?: unknown };
  if (typeof id === 'number' && typeof username === 'string') return { id, username };
  throw new Refusal('unavailable', 'what answers there is no Bot API', 'Look at the base URL.');
}

/** As long as a webhook is set, no update can be asked for. */
async function freeOfWebhook(api: BotApi, name: string, drop: boolean): Promise<void> {
  const called = await api.call('getWebhookInfo');
  if (!called.ok) throw refusal(called, name);
  const { url } = Object(called.result) as { url?: unknown };
  if (typeof url !== 'string' || url === '') return;
  if (!drop) {
    const said = `this bot sends its updates to ${new URL(url).host}`;
    throw new Refusal(
      'exists',
      said,
      'Take that webhook away, and whatever is there gets none any more: --drop-webhook.',
    );
  }
  const dropped = await api.call('deleteWebhook');
  if (!dropped.ok) throw refusal(dropped, name);
}
