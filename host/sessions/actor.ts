/**
 * The one queue through which everything about a session goes: asleep → waiting → starting → awake → stopping → asleep.
 * One thing at a time, in this order: a run that ended, a start, a stop, new messages in, new rows out.
 */
import type { NewInbound, Receipt } from '@halfdoor/protocol/message';
import type { SessionState } from '../api/contract.ts';
import { errorText } from '../log.ts';
import type { Collected } from '../outbound/collect.ts';
import type { SandboxExit } from '../sandboxes/sandbox.ts';
import { endRun, notStarted, type Ending } from './after-run.ts';
import { endingOf, isGentle, type StopReason } from './decide.ts';
import type { ActorDeps } from './deps.ts';
import type { Excess } from './excess.ts';
import { Mail } from './mail.ts';
import { Pulse } from './pulse.ts';
import { Restart } from './restart.ts';
import { due, recoverRun, wake, type Due, type LiveRun } from './wake.ts';
import { Watch } from './watch.ts';

const RETRY_AFTER_ERROR_MS = 1_000;

export class Actor {
  readonly sessionId: string;
  readonly agentId: string;
  readonly #deps: ActorDeps;
  readonly #from: { sessionId: string; agentId: string };
  readonly #mail = new Mail();
  readonly #watch: Watch;
  readonly #pulse: Pulse;
  readonly #restart: Restart;
  /** Waking dispatches that are not settled. */
  readonly #open = new Set<string>();
  #state: SessionState = 'asleep';
  #due: Due | null = null;
  #live: LiveRun | null = null;
  #exit: SandboxExit | null = null;
  #stopFor: StopReason | null = null;
  /** Central may have open work that this actor has not seen. */
  #mustCheck = false;
  #closing = false;
  #granted = false;
  #working = false;
  #ringed = false;
  #deaths = 0;

  constructor(deps: ActorDeps, sessionId: string, agentId: string) {
    this.#deps = deps;
    this.sessionId = sessionId;
    this.agentId = agentId;
    this.#from = { sessionId, agentId };
    this.#watch = new Watch(deps, this.#from, (collected) => this.#onCollected(collected));
    this.#restart = new Restart(deps.clock, () => this.#kick());
    this.#pulse = new Pulse({
      clock: deps.clock,
      isBusy: () => this.#open.size > 0,
      beat: () => this.#watch.heartbeat?.beat ?? null,
      look: () => this.#ring(),
      end: (reason) => (this.#stopFor ??= reason),
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
    for (const it of messages) if (it.wakes) this.#open.add(it.id);
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

  /** Ends the run if there is one. After `shutdown` and `ended` nothing wakes this session here again. */
  stop(reason: 'evicted' | 'stopped' | 'shutdown' | 'ended' | Excess): void {
    this.#closing ||= reason === 'shutdown' || reason === 'ended';
    if (this.#closing) this.#restart.cancel();
    if (this.#live) this.#stopFor ??= reason;
    this.#kick();
  }

  /** What its runs are made of has changed: the run gives way to the next, see Mail.mustEnd. */
  renew(reason: 'renewed' | 'revoked'): void {
    this.#mail.hold(reason);
    this.#kick();
  }

  #kick(): void {
    if (this.#working) return;
    this.#working = true;
    queueMicrotask(() => void this.#work());
  }

  async #work(): Promise<void> {
    let failed = false;
    try {
      while (await this.#step());
    } catch (error) {
      failed = true;
      this.#deps.log.error('session failed', { session: this.sessionId, error: errorText(error) });
    }
    this.#working = false;
    if (failed) this.#deps.clock.after(RETRY_AFTER_ERROR_MS, () => this.#kick());
    else if (this.#hasMore()) this.#kick();
    else if (this.#state === 'asleep' && !this.#restart.isWaiting) this.#deps.onAsleep(this.sessionId);
  }

  /** What came in between the last step and here: its kick found the queue still working. */
  #hasMore(): boolean {
    if (this.#exit !== null) return true;
    if (this.#live === null) {
      const wanted = (this.#open.size > 0 || this.#mustCheck) && !this.#closing && !this.#restart.isWaiting;
      return wanted && (this.#granted || this.#state !== 'waiting');
    }
    if (this.#state !== 'awake') return this.#ringed;
    if (this.#ringed || this.#stopFor !== null || this.#mail.mustEnd(this.#open) !== null) return true;
    return this.#mail.waiting && !this.#pulse.isLocked;
  }

  /** Does the most urgent thing; false when there is nothing to do now. */
  async #step(): Promise<boolean> {
    if (this.#exit !== null) return this.#afterExit(this.#exit);
    if (this.#live === null) return this.#maybeStart();
    this.#stopFor ??= this.#mail.mustEnd(this.#open);
    if (this.#stopFor !== null && this.#state === 'awake') return this.#beginStop(this.#live, this.#stopFor);
    if (this.#state === 'awake' && this.#mail.waiting) {
      return this.#pulse.after(this.#mail.project(this.#live, this.#watch.cursor));
    }
    if (!this.#ringed) return false;
    this.#ringed = false;
    await this.#look();
    return true;
  }

  async #maybeStart(): Promise<boolean> {
    if (this.#closing || (this.#open.size === 0 && !this.#mustCheck) || this.#restart.isWaiting) {
      this.#releaseSlot();
      this.#setState('asleep');
      return false;
    }
    if (!this.#granted) {
      this.#deps.slots.request(this.sessionId, () => {
        this.#granted = true;
        this.#kick();
      });
      if (!this.#granted) this.#setState('waiting');
      return this.#granted;
    }
    this.#setState('starting');
    await this.#start();
    return true;
  }

  async #start(): Promise<void> {
    this.#mustCheck = false;
    this.#mail.letGo();
    const it = (this.#due = await due(this.#deps, this.sessionId));
    this.#mail.projected(new Set(it?.open.map((message) => message.id)));
    this.#open.clear();
    for (const message of [...(it?.open ?? []), ...this.#mail.messages]) if (message.wakes) this.#open.add(message.id);
    this.#closing ||= it === null || it.ended;
    if (it === null || this.#closing || this.#open.size === 0) return;
    this.#stopFor = null;
    try {
      const begin = (run: number): void => this.#watch.begin(run, it.cursor);
      this.#live = await wake(this.#deps, this.sessionId, it, begin, () => this.#ring());
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
    const end = notStarted(error, this.#open);
    this.#deps.log.error('run did not start', { session: this.sessionId, error: end.ending });
    this.#releaseSlot();
    await this.#endRun(end);
    this.#restartLater();
  }

  #ring(): void {
    this.#ringed = true;
    this.#kick();
  }

  async #look(): Promise<void> {
    const looked = await this.#watch.look();
    this.#pulse.after(looked.seen !== 'again');
    if (looked.seen !== 'spoiled') return;
    this.#deps.log.warn('outbound file refused', { session: this.sessionId, as: looked.as, detail: looked.detail });
    this.#stopFor ??= looked.as;
  }

  async #onCollected({ refused, ...committed }: Collected): Promise<void> {
    this.#afterCommit(committed);
    if (refused.length === 0) return;
    if (this.#live) this.#mail.refused(refused, this.#deps.now());
    await this.#deps.tellAgent(this.sessionId, this.agentId, refused);
  }

  #afterCommit({ settled, heads }: Pick<Collected, 'settled' | 'heads'>): void {
    for (const head of heads) this.#deps.startDelivery(head);
    if (settled.length === 0) return;
    for (const it of settled) this.#open.delete(it.dispatchId);
    this.#deaths = 0;
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
    const run = this.#live?.run ?? 0;
    this.#due ??= await due(this.#deps, this.sessionId);
    if (this.#live === null) this.#watch.begin(run, this.#due?.cursor ?? 0);
    const it = this.#due;
    const recover = async (): Promise<boolean> => it === null || recoverRun(this.#deps, this.sessionId, it);
    const looked = await this.#watch.lastLook(recover);
    if (looked.seen === 'spoiled') this.#stopFor = looked.as;
    const end = endingOf(exit, this.#stopFor, this.#watch.heartbeat, run, this.#open);
    const { ending, victims } = end;
    const said = { session: this.sessionId, run, ending, stderr: exit.stderr };
    if (victims.length > 0) this.#deps.log.warn('run died', said);
    await this.#endRun(end);
    await this.#release();
    this.#restartLater();
    return true;
  }

  async #release(): Promise<void> {
    const live = this.#live;
    this.#exit = null;
    this.#stopFor = null;
    this.#live = null;
    this.#due = null;
    this.#deps.reader.forget(this.sessionId);
    live?.inbound.close();
    await Promise.all([live?.bell.close(), live?.net.close()]);
    this.#releaseSlot();
  }

  #releaseSlot(): void {
    this.#granted = false;
    this.#deps.slots.release(this.sessionId);
  }

  async #endRun(end: Ending): Promise<void> {
    const deaths = this.#deaths;
    this.#afterCommit(await endRun(this.#deps, this.#from, end));
    this.#deaths = end.victims.length > 0 ? deaths + 1 : 0;
  }

  #restartLater(): void {
    if (this.#open.size > 0 && !this.#closing) this.#restart.after(this.#deaths);
  }

  #setState(state: SessionState): void {
    if (this.#state !== state) this.#deps.signals.emit('session', { ...this.#from, state });
    this.#state = state;
  }
}
