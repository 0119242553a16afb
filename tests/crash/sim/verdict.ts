/** What must hold once everything is calm: nothing lost, nothing silently doubled, nobody left in the dark. */
import { agentName, type Message, type Place } from './people.ts';
import { wholeOf, type Platform, type Shown } from './platform.ts';
import type { World } from './world.ts';

type Dispatch = {
  id: string;
  event_id: string;
  kind: string;
  wakes: number;
  state: string;
  reason: string | null;
  tries: number;
};

const TRIES = 3;
/** What a command did to a message is told as the answer to the command. */
const TOLD_ELSEWHERE = ['stopped', 'new-conversation'];

export function judge(world: World, sent: readonly Message[]): void {
  if (world.violations.length > 0) return;
  for (const it of sent) judgeMessage(world, it);
  world.people.forEach((person, agent) => {
    judgeRoom(world, `terminal of ${person.chat}`, 'terminal', agentName(agent), person.shown);
  });
  for (const platform of [world.post, world.mail]) judgePlatform(world, platform);
  judgeWords(world, sent);
  judgeSleep(world);
}

function judgeMessage(world: World, it: Message): void {
  const events = world.audit.central<{ id: string }>(
    'select id from events where channel = ? and chat = ? and platform_id = ?',
    'terminal',
    it.chat,
    it.platformId,
  );
  const [event] = events;
  if (!event || events.length > 1) return world.violate(`${it.platformId} is ${events.length} events`);
  const dispatches = world.audit.central<Dispatch>('select * from dispatches where event_id = ?', event.id);
  if (dispatches.length > 1) world.violate(`${it.platformId} has ${dispatches.length} dispatches`);
  const told = toldAbout(world, it.chat, event.id);
  for (const dispatch of dispatches) judgeDispatch(world, it, dispatch, told);
  const isTold = told.length > 0 || dispatches.some((dispatch) => TOLD_ELSEWHERE.includes(dispatch.reason ?? ''));
  if (!isTold) world.violate(`nobody was told what became of ${it.platformId}: ${JSON.stringify(dispatches)}`);
}

/** Everything that came before somebody's eyes about one event, in whichever room. */
function toldAbout(world: World, chat: string, event: string): Shown[] {
  const rooms = [...world.people.filter((it) => it.chat === chat), world.post, world.mail];
  return rooms.flatMap((it) => it.shown.filter((shown) => shown.answers.includes(event)));
}

function judgeDispatch(world: World, it: Message, dispatch: Dispatch, told: readonly Shown[]): void {
  const { kind, state, reason, tries } = dispatch;
  const at = `${it.platformId} (${state}, ${reason ?? 'no reason'})`;
  if (state === 'open') return world.violate(`${it.platformId} is still open`);
  if (kind !== 'chat') return undefined;
  const notices = new Set(told.filter(isEnding).map((shown) => shown.delivery));
  if (notices.size > 1) world.violate(`${at} has ${notices.size} notices`);
  const waits = new Set(told.filter((shown) => STILL_WAITS.test(shown.text)).map((shown) => shown.text));
  if (waits.size > 1) world.violate(`${at} was told ${waits.size} times to wait`);
  judgePatience(world, it, at, told);
  if (state === 'dead' && tries < TRIES) world.violate(`${at} was given up after ${tries} tries`);
  if (state === 'done' && reason === null && notices.size === 0) return judgeReplies(world, it, at, told);
  // What was said to a batch before it fell silent counts as said to each of it.
  const isTold = state === 'done' ? told.length > 0 : notices.size > 0;
  if (!TOLD_ELSEWHERE.includes(reason ?? '') && !isTold)
    world.violate(`${at} was not answered, and nobody was told why`);
  return undefined;
}

/** Asked once, and only where it took so long. */
function judgePatience(world: World, it: Message, at: string, told: readonly Shown[]): void {
  const asked = new Set(told.filter((shown) => GO_ON.test(shown.text)).map((shown) => shown.delivery)).size;
  const wanted = it.text.startsWith('@sleep 15000000') ? 1 : 0;
  if (asked !== wanted) world.violate(`${at} was asked ${asked} times whether to go on`);
}

const GO_ON = /^The agent has been at work on this for four hours/;
const STILL_WAITS = /^The model's quota is used up|^Your message waits/;
const UNDELIVERED = /could not be delivered/;

/** Says why there is no answer, or that there was none. */
const isEnding = (shown: Shown): boolean =>
  shown.notice && !UNDELIVERED.test(shown.text) && !STILL_WAITS.test(shown.text) && !GO_ON.test(shown.text);

/** Every reply is where it belongs, or the platform refused it for good and the person who asked knows. */
function judgeReplies(world: World, it: Message, at: string, told: readonly Shown[]): void {
  for (const reply of it.replies) {
    if ([...wholeTexts(shownAt(world, reply.at, it.chat)).values()].includes(reply.text)) continue;
    const [refused] = world.audit.central<{ n: number }>(
      `select count(*) as n from deliveries where state = 'dead' and channel = ? and json_extract(content, '$.text') = ?`,
      reply.at,
      reply.text,
    );
    if (refused?.n === 0) world.violate(`${at} lacks its reply ${reply.text} at ${reply.at}`);
    if (!told.some((shown) => shown.notice && UNDELIVERED.test(shown.text))) {
      world.violate(`${at}: ${reply.text} did not reach ${reply.at}, and nobody was told`);
    }
  }
}

function shownAt(world: World, place: Place, chat: string): readonly Shown[] {
  if (place === 'terminal') return world.people.find((it) => it.chat === chat)?.shown ?? [];
  return world[place].shown;
}

/** What was read, by delivery: a long one put together again from its parts, each taken once. */
function wholeTexts(shown: readonly Shown[]): Map<string, string> {
  const parts = new Map(shown.map((it) => [it.delivery, it]));
  const whole = new Map<string, string>();
  for (const it of parts.values()) {
    const before = whole.get(wholeOf(it));
    whole.set(wholeOf(it), before === undefined ? it.text : `${before} ${it.text}`);
  }
  return whole;
}

function judgePlatform(world: World, platform: Platform): void {
  world.people.forEach(({ chat }) => {
    const own = world.audit.central<{ id: string }>(
      'select id from deliveries where channel = ? and chat = ?',
      platform.name,
      chat,
    );
    const ids = new Set(own.map((it) => it.id));
    const shown = platform.shown.filter((it) => ids.has(wholeOf(it)));
    judgeRoom(world, `${platform.name} of ${chat}`, platform.name, chat, shown);
    if (platform.idempotent && new Set(shown.map((it) => it.delivery)).size < shown.length) {
      world.violate(`${platform.name} showed something twice`);
    }
  });
}

/** In order, each at least once, and no second copy that does not say so. */
function judgeRoom(world: World, room: string, channel: string, chat: string, shown: readonly Shown[]): void {
  const rows = world.audit.central<{ id: string; state: string; reason: string | null }>(
    'select id, state, reason from deliveries where channel = ? and chat = ? order by ordinal',
    channel,
    chat,
  );
  const placeOf = new Map(rows.map((it, place) => [it.id, place]));
  let last = -1;
  const seen = new Set<string>();
  for (const it of shown) {
    const place = placeOf.get(wholeOf(it)) ?? -1;
    if (place < last) world.violate(`${room}: ${it.text} came after what stands behind it`);
    last = place;
    if (seen.has(it.delivery) && !it.mayBeDuplicate) world.violate(`${room}: ${it.text} came twice and did not say so`);
    seen.add(it.delivery);
  }
  for (const { id, state, reason } of rows) {
    if (state !== 'delivered' && state !== 'dead') world.violate(`${room}: ${id} is ${state}`);
    if (state === 'dead' && reason === null) world.violate(`${room}: ${id} is dead and does not say why`);
    if (state === 'delivered' && !seen.has(id)) world.violate(`${room}: ${id} counts as delivered and never came`);
  }
}

/** A word that was said once is one delivery, however often a turn had to be begun again. */
function judgeWords(world: World, sent: readonly Message[]): void {
  for (const { chat, replies } of sent) {
    for (const { at, text } of replies) {
      const times = [...wholeTexts(shownAt(world, at, chat)).values()].filter((it) => it === text).length;
      if (times > 1) world.violate(`${text} was said ${times} times at ${at}`);
    }
  }
}

function judgeSleep(world: World): void {
  const { host, runs, audit } = world;
  for (const run of runs) world.violate(`${run.life.name} still lives`);
  const counts = host?.parts?.sessions.counts();
  if (counts && counts.awake + counts.waiting > 0) world.violate(`still awake: ${JSON.stringify(counts)}`);
  const [left] = audit.central<{ n: number }>('select count(*) as n from runs where ended_at is null');
  if (left?.n !== 0) world.violate(`${left?.n} runs have no end on record`);
}
