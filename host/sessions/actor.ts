/**
 * The one queue through which everything about a session goes: asleep → waiting → starting → awake → stopping → asleep.
 * One thing at a time, in this order: a run that ended, a start, a stop, new messages in, new rows out.
 */
import type { NewInbound, Receipt } from '@halfdoor/protocol/message';
import type { SessionState } from '../api/contract.ts';
import { errorText } from '../log.ts';
import type { Parked } from '../actions/park.ts';
import type { Collected } from '../outbound/collect.ts';
import type { CollectedFrom } from '../outbound/settle.ts';
import type { SandboxExit } from '../sandboxes/sandbox.ts';
import { endRun, notStarted, type Ending } from './after-run.ts';
import { endingOf, isGentle, type StopReason } from './decide.ts';
import type { ActorDeps } from './deps.ts';
import { isExcess, type Excess } from './excess.ts';
import { Mail } from './mail.ts';
import { OpenWork } from './open-work.ts';
import { parkedWith } from './parked.ts';
import { Place } from './place.ts';
import { tellNotStarted } from './away.ts';
import { Pulse } from './pulse.ts';
import { troubleOf } from './recover-run.ts';
import { Restart } from './restart.ts';
import { tellLong } from './too-long.ts';
import { Steps } from './steps.ts';
import { due, wake, type Due, type LiveRun } from './wake.ts';
import { Watch, type Looked } from './watch.ts';

export class Actor {
  readonly from: CollectedFrom;
  readonly #deps: ActorDeps;
  readonly #mail = new Mail();
  readonly #watch: Watch;
  readonly #pulse: Pulse;
  readonly #restart: Restart;
  readonly #steps: Steps;
  readonly #end = (reason: StopReason): void => {
    this.#stopFor ??= reason;
    this.#kick();
  };
  readonly #kick = (): void => this.#steps.kick();
  readonly #place: Place;
  /** Waking dispatches that are not settled. */
  readonly #open = new OpenWork();
  #state: SessionState = 'asleep';
  #due: Due | null = null;
  #live: LiveRun | null = null;
  #exit: SandboxExit | null = null;
  #stopFor: StopReason | null = null;
  /** Central may have open work that this actor has not seen. */
  #mustCheck = false;
  #closing = false;
  /** Whatever its last run had done, nobody waits for it any more. */
  #isOver = false;
  #ringed = false;
  /** Until when what is open waits for the model's quota; null when it waits for nothing. */
  #parkedUntil: string | null = null;

  constructor(deps: ActorDeps, sessionId: string, agentId: string) {
    this.#deps = deps;
    this.from = { sessionId, agentId };
    this.#watch = new Watch(deps, this.from, (collected) => this.#onCollected(collected));
    this.#restart = new Restart(deps.clock, this.#kick);
    this.#place = new Place(deps.slots, sessionId, this.#kick);
    this.#steps = new Steps({
      clock: deps.clock,
      step: () => this.#step(),
      hasMore: () => this.#hasMore(),
      onError: (error) => deps.log.error('session failed', { session: sessionId, error: errorText(error) }),
      onRest: () => {
        if (this.#state === 'asleep' && !this.#restart.isWaiting) deps.onAsleep(sessionId, this);
      },
    });
    this.#pulse = new Pulse({
      clock: deps.clock,
      isBusy: () => this.#open.size > 0,
      beat: () => this.#watch.heartbeat?.beat ?? null,
      look: () => this.#ring(),
      isHeeded: () => !this.#open.hasControl,
      end: this.#end,
      tooLong: () => void tellLong(deps, this.from),
    });
  }

  get state(): SessionState {
    return this.#state;
  }

  get pid(): number | null {
    return this.#live?.sandbox.pid ?? null;
  }

  /** Since when it has been awake with nothing to do, on the host's clock; null when busy or not awake. */
  get idleSince(): number | null {
    return this.#state === 'awake' && this.#open.size === 0 && this.#stopFor === null ? this.#pulse.idleSince : null;
  }

  /** New dispatches, already durable in central. */
  enqueue(messages: NewInbound[]): void {
    this.#mail.add(messages);
    this.#open.add(messages);
    this.#kick();
  }

  /** At start: central has open work for this session, or a run of the host before was never seen to end. */
  revive(leftRunning: boolean): void {
    this.#mustCheck = true;
    if (leftRunning) {
      this.#exit = { code: null, signal: null, stderr: 'the host ended first' };
      this.#stopFor = 'shutdown';
    }
    this.#kick();
  }

  receipt(receipt: Receipt): void {
    if (this.#live) this.#mail.receipt(receipt);
  }

  /** Ends the run if there is one, for an excess at once. After `shutdown` and `ended` nothing wakes this session here again. */
  stop(reason: 'evicted' | 'stopped' | 'shutdown' | 'ended' | Excess): void {
    this.#closing ||= reason === 'shutdown' || reason === 'ended';
    this.#isOver ||= reason === 'ended';
    if (this.#closing) this.#restart.cancel();
    if (this.#live) this.#stopFor ??= reason;
    if (isExcess(reason)) this.#live?.sandbox.kill();
    this.#kick();
  }

  /** What its runs are made of has changed: the run gives way to the next, see Mail.mustEnd. */
  renew(reason: 'renewed' | 'revoked'): void {
    this.#mail.hold(reason);
    this.#kick();
  }

  /** What came in between the last step and here: its kick found the queue still working. */
  #hasMore(): boolean {
    if (this.#exit !== null) return true;
    if (this.#live === null) {
      const wanted = (this.#open.size > 0 || this.#mustCheck) && !this.#closing && !this.#restart.isWaiting;
      return wanted && (this.#place.granted || this.#state !== 'waiting');
    }
    if (this.#state !== 'awake') return this.#ringed;
    if (this.#ringed || this.#stopFor !== null || this.#mail.mustEnd(this.#open.ids) !== null) return true;
    return this.#mail.waiting && this.#pulse.mayProject;
  }

  /** Does the most urgent thing; false when there is nothing to do now. */
  async #step(): Promise<boolean> {
    if (this.#exit !== null) return this.#afterExit(this.#exit);
    if (this.#live === null) return this.#maybeStart();
    this.#stopFor ??= this.#mail.mustEnd(this.#open.ids);
    if (this.#stopFor !== null && this.#state === 'awake') return this.#beginStop(this.#live, this.#stopFor);
    if (this.#state === 'awake' && this.#mail.waiting && this.#pulse.mayProject) {
      return this.#pulse.tried('inbound', this.#mail.project(this.#live, this.#watch.cursor));
    }
    if (!this.#ringed) return false;
    this.#ringed = false;
    await this.#look();
    return true;
  }

  async #maybeStart(): Promise<boolean> {
    if (this.#closing || (this.#open.size === 0 && !this.#mustCheck) || this.#restart.isWaiting) {
      this.#place.release();
      this.#setState('asleep');
      return false;
    }
    if (!this.#place.granted) {
      const granted = this.#place.request();
      if (!granted) this.#setState('waiting');
      return granted;
    }
    this.#setState('starting');
    await this.#start();
    return true;
  }

  async #start(): Promise<void> {
    this.#mustCheck = false;
    this.#mail.letGo();
    const it = (this.#due = await due(this.#deps, this.from.sessionId));
    this.#mail.projected(new Set(it?.open.map((message) => message.id)));
    this.#open.clear();
    this.#open.add([...(it?.open ?? []), ...this.#mail.messages]);
    this.#closing ||= it === null || it.ended;
    if (it === null || this.#closing || this.#open.size === 0) return;
    this.#parkedUntil = await parkedWith(this.#deps, this.from.sessionId, it);
    if (this.#parkedUntil !== null) return this.#open.clear();
    this.#stopFor = null;
    try {
      const begin = (run: number): void => this.#watch.begin(run, it.cursor);
      this.#live = await wake(this.#deps, this.from.sessionId, it, begin, () => this.#ring(), this.#end);
    } catch (error) {
      return this.#notStarted(error);
    }
    void this.#live.sandbox.gone.then((exit) => {
      this.#exit = exit;
      this.#kick();
    });
    if (this.#closing) this.#stopFor = 'shutdown';
    this.#setState('awake');
    this.#pulse.start();
  }

  async #notStarted(error: unknown): Promise<void> {
    const end = notStarted(error, this.#open.ids);
    this.#place.release();
    await this.#endRun(await tellNotStarted(this.#deps, this.from, end));
  }

  #ring(): void {
    this.#ringed = true;
    this.#kick();
  }

  async #look(): Promise<void> {
    const looked = await this.#watch.look();
    this.#pulse.tried('outbound', looked.seen !== 'again');
    if (looked.seen === 'spoiled') this.#stopFor ??= this.#refuse(looked);
  }

  #refuse({ as, detail }: Extract<Looked, { seen: 'spoiled' }>): StopReason {
    this.#deps.log.warn('outbound file refused', { session: this.from.sessionId, as, detail });
    return as;
  }

  async #onCollected({ refused, parked, ...committed }: Collected): Promise<void> {
    if (parked) this.#park(parked);
    this.#afterCommit(committed);
    if (refused.length === 0) return;
    if (this.#live) this.#mail.refused(refused, this.#deps.now());
    await this.#deps.tellAgent(this.from.sessionId, this.from.agentId, refused);
  }

  /** Central waits for it; nothing is held here meanwhile. */
  #park({ ids, until }: Parked): void {
    this.#open.delete(ids);
    this.#parkedUntil = until;
    this.#stopFor ??= 'parked';
    this.#deps.onParked();
  }

  #afterCommit({ settled, heads }: Pick<Collected, 'settled' | 'heads'>): void {
    for (const head of heads) this.#deps.startDelivery(head);
    if (settled.length === 0) return;
    this.#open.delete(settled.map((it) => it.dispatchId));
    this.#restart.settled();
    this.#pulse.worked();
    this.#deps.signals.emit('settled', { eventIds: settled.map((it) => it.eventId) });
    if (this.#open.size === 0 && this.#deps.slots.waiting > 0) this.stop('evicted');
  }

  #beginStop(live: LiveRun, reason: StopReason): boolean {
    this.#setState('stopping');
    if (isGentle(reason)) void live.sandbox.stop();
    else live.sandbox.kill();
    return true;
  }

  async #afterExit(exit: SandboxExit): Promise<boolean> {
    this.#setState('stopping');
    this.#pulse.stop();
    this.#place.release();
    const run = this.#live?.run ?? 0;
    this.#due ??= await due(this.#deps, this.from.sessionId);
    if (this.#live === null) this.#watch.begin(run, this.#due?.cursor ?? 0);
    const trouble = troubleOf(this.#deps, this.from, this.#due, () => this.#isOver);
    const looked = await this.#watch.lastLook(trouble);
    if (looked.seen === 'spoiled') this.#stopFor = this.#refuse(looked);
    const end = endingOf(exit, this.#stopFor, this.#watch.heartbeat, run, this.#open.ids);
    const said = { session: this.from.sessionId, run, ending: end.ending, stderr: exit.stderr };
    if (end.victims.length > 0) this.#deps.log.warn('run died', said);
    await this.#endRun(end);
    await this.#release();
    return true;
  }

  async #release(): Promise<void> {
    const live = this.#live;
    this.#exit = null;
    this.#stopFor = null;
    this.#live = null;
    this.#due = null;
    this.#deps.reader.forget(this.from.sessionId);
    live?.inbound.close();
    await Promise.all([live?.bell.close(), live?.net.close()]);
  }

  async #endRun(end: Ending): Promise<void> {
    this.#afterCommit(await endRun(this.#deps, this.from, end));
    this.#restart.ended(end.away || end.victims.length > 0, this.#open.size > 0 && !this.#closing);
  }

  #setState(state: SessionState): void {
    const parkedUntil = this.#parkedUntil;
    if (this.#state !== state) this.#deps.signals.emit('session', { ...this.from, state, parkedUntil });
    this.#state = state;
  }
}
