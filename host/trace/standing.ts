/** Where a message stands now: one sentence with its reason, and the next step. Pure. */
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Address } from '@halfdoor/protocol/message';
import type { TraceStanding, TraceView } from '../api/operator-contract.ts';
import { failureOf } from '../outbound/failure.ts';
import type { DeliveryFact, DispatchFact, Facts } from './facts.ts';
import type { Live } from './live.ts';

type Now = TraceView['now'];
type Known = { facts: Facts; live: ReadonlyMap<string, Live>; mayTake(address: Address): boolean };

const now = (standing: TraceStanding, text: string, next: string | null = null): Now => ({ standing, text, next });

/** What went worst is said first; what is over and well is said only when all of it is. */
const WORST: readonly TraceStanding[] = [
  'dead',
  'failed',
  'undelivered',
  'waiting',
  'working',
  'no-reply',
  'stopped',
  'dropped',
  'answered',
  'obeyed',
];

export function standingOf(known: Known): Now {
  const { event, dispatches } = known.facts;
  const counted = dispatches.filter((it) => it.closed !== 'replayed');
  const each = counted.map((it) => ofDispatch(known, it));
  if (each.length === 0) each.push(ofCommand(known));
  each.sort((a, b) => WORST.indexOf(a.standing) - WORST.indexOf(b.standing));
  const [first = now('obeyed', 'Nothing was to be done.')] = each;
  const others = each.slice(1).filter((it) => it.standing !== first.standing);
  const repeats = event.repeats === 0 ? '' : ` The same id came ${event.repeats + 1} times: it is one message.`;
  return { ...first, text: `${[first, ...others].map((it) => it.text).join(' ')}${repeats}` };
}

/** A message that became no dispatch: the host itself did what it says. */
function ofCommand({ facts, mayTake }: Known): Now {
  const { event, deliveries } = facts;
  const isForHost = event.kind === 'command' || deliveries.length > 0;
  if (!isForHost) return now('no-reply', 'No agent took it up.', 'See `./halfdoor agents list`.');
  return undelivered(deliveries, mayTake) ?? now('obeyed', `The host did what ${event.text.trim()} says and answered.`);
}

function ofDispatch(known: Known, it: DispatchFact): Now {
  if (it.closed === 'dropped') return now('dropped', `A person ended it for good: ${failureOf(it.reason).error}.`);
  switch (it.state) {
    case 'open':
      return ofOpen(it, known.live.get(it.id));
    case 'failed':
    case 'dead':
      return ofFailed(it);
    case 'done':
      return ofDone(known, it);
  }
}

function ofFailed(it: DispatchFact): Now {
  const { error, next } = failureOf(it.reason);
  if (it.reason === 'stopped') return now('stopped', `It was taken back by /stop before it was answered.`, next);
  if (it.reason === 'new-conversation') return now('dropped', `It was dropped by /new: ${error}.`, next);
  const again = `${next} Or take it up again: ./halfdoor dead replay ${it.id}`;
  const died = it.reason?.startsWith('died') === true;
  const count = `${it.tries.length} ${it.tries.length === 1 ? 'try' : 'tries'}`;
  const tries = it.state === 'dead' ? `; given up after ${count}` : '';
  const text = `${it.agent} gave no answer: ${died ? 'its run died each time it worked on this' : error}`;
  const how = died ? ` (${it.tries.map((one) => one.ending).join(', ')})` : '';
  return now(it.state === 'dead' ? 'dead' : 'failed', `${text}${how}${tries}.`, again);
}

function ofDone({ facts, mayTake }: Known, it: DispatchFact): Now {
  const replies = facts.deliveries.filter((one) => one.seq !== null && one.sessionId === it.sessionId);
  if (it.kind === 'control') return undelivered(facts.deliveries, mayTake) ?? now('obeyed', 'It was carried out.');
  if (it.kind === 'notice') return now('answered', `${it.agent} has read it.`);
  if (replies.length === 0) return ofSilent(facts, it);
  const messages = replies.length === 1 ? 'one message' : `${replies.length} messages`;
  return undelivered(replies, mayTake) ?? now('answered', `${it.agent} answered with ${messages}, delivered.`);
}

function ofSilent({ unsent }: Facts, it: DispatchFact): Now {
  const refused = unsent.find((one) => one.refused !== null && one.sessionId === it.sessionId);
  const named = /^no-destination: (.*)$/s.exec(it.reason ?? '')?.[1];
  if (refused || named !== undefined) {
    const why = refused?.refused ?? `no destination named ${JSON.stringify(named)}.`;
    const next = `Ask it to answer you by the name it has for you; its names: ./halfdoor agents get ${it.agent}`;
    return now('no-reply', `${it.agent} wrote, but to somebody it cannot reach: ${why}`, next);
  }
  const next = 'Read its notes above, then ask again and say what you expect.';
  return now('no-reply', `${it.agent} finished without writing anything to anybody.`, next);
}

function ofOpen(it: DispatchFact, live: Live | undefined): Now {
  const stop = `./halfdoor sessions stop ${it.sessionId} takes it back.`;
  const before = triedBefore(it);
  if (it.dueAt !== null) {
    const why = it.reason === null ? '' : `: ${it.reason}`;
    const next = `It is tried by itself then. Another model: ./halfdoor agents update ${it.agent} --model MODEL. ${stop}`;
    return now('waiting', `It waits for the model's quota until ${it.dueAt}${why}.${before}`, next);
  }
  if (live?.place) {
    const { n, of } = live.place;
    const text = `It waits for a sandbox: place ${n} of ${of} among those that wait, as at most ${LIMITS.awakeSandboxes} run at once.`;
    return now('waiting', `${text}${before}`, 'It starts by itself; who is at work: ./halfdoor sessions list');
  }
  if (live && live.uncollected.acks.length > 0) {
    return now('working', `${it.agent} has finished with it and the host is about to collect it.${before}`);
  }
  if (live?.state === 'awake' && live.heartbeat?.claims.includes(it.id)) {
    const { progress } = live;
    const tool = progress?.state === 'tool' && progress.detail !== null ? `, with ${progress.detail}` : '';
    return now('working', `${it.agent} is at work on it in run ${live.heartbeat.run}${tool}.${before}`, stop);
  }
  if (live?.state === 'awake') {
    return now('waiting', `${it.agent} is awake and has not taken it up yet.${before}`, stop);
  }
  if (live?.state === 'starting') return now('waiting', `Its sandbox is starting.${before}`);
  if (live?.state === 'stopping') return now('waiting', `A run is ending; the next one takes it up.${before}`);
  if (before !== '') return now('waiting', `The next run takes it up within seconds.${before}`, stop);
  return now('waiting', 'It is accepted, and its session is about to be woken.', 'Look again in a moment.');
}

function triedBefore({ tries }: DispatchFact): string {
  const last = tries.at(-1);
  if (!last) return '';
  const who = last.run === null ? 'No run could be made' : `Run ${last.run} ended on it`;
  return ` ${who}: ${last.ending}; that was try ${last.n} of ${LIMITS.messageTries}.`;
}

/** The first of these that has not arrived; null when all have. */
function undelivered(deliveries: readonly DeliveryFact[], mayTake: Known['mayTake']): Now | null {
  const it = deliveries.find((one) => one.state === 'dead') ?? deliveries.find((one) => one.state !== 'delivered');
  if (!it) return null;
  const place = `${it.address.channel}:${it.address.chat}`;
  if (it.closed === 'dropped') return now('dropped', `The answer to ${place} was ended for good by a person.`);
  if (it.state === 'dead') {
    const text = `The answer is written, but ${place} did not take it: ${it.reason ?? 'no reason'}.`;
    return now('dead', text, `Mend that, then: ./halfdoor dead replay ${it.id}`);
  }
  if (!mayTake(it.address)) {
    const next =
      it.address.channel === 'terminal' ? `./halfdoor chat ${it.address.chat}` : 'It is sent once the channel is up.';
    return now('undelivered', `The answer is written and waits: nobody is connected to ${place}.`, next);
  }
  return ofWaiting(it, place);
}

function ofWaiting(it: DeliveryFact, place: string): Now {
  if (it.ahead !== null) {
    const { count, first } = it.ahead;
    const why = first.reason === null ? '' : `; the first of them: ${first.reason}, again at ${first.dueAt ?? 'once'}`;
    const text = `The answer is written and waits behind ${count} other${count === 1 ? '' : 's'} to ${place}${why}.`;
    return now('undelivered', text, 'They go by themselves, in order.');
  }
  if (it.tries > 0) {
    const due = it.dueAt === null ? '' : `, the next is due at ${it.dueAt}`;
    const text = `${place} did not take the answer: ${it.reason ?? 'no reason'}; try ${it.tries} of ${LIMITS.deliveryTries} failed${due}.`;
    return now('undelivered', text, 'It is tried again by itself.');
  }
  return now('undelivered', `The answer is on its way to ${place} and nobody has confirmed it yet.`);
}
