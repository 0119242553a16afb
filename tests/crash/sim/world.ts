/** One story from its first start to its end: the parts, who is alive, and who is killed. */
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OUTBOUND_VERSION, outboundSchema, schemaFingerprint } from '@halfdoor/protocol/host';
import { homeAt, sessionPaths, type Home } from '../../../host/home.ts';
import { makeIds, type Ids } from '../../../host/ids.ts';
import type { SandboxExit, SandboxSpec } from '../../../host/sandboxes/sandbox.ts';
import { Audit } from './audit.ts';
import { Bells } from './bells.ts';
import { CrashPoints, mortalDurable, type Coverage, type Crash } from './crash-points.ts';
import { Life } from './life.ts';
import { agentName } from './people.ts';
import { Person } from './person.ts';
import { Platform } from './platform.ts';
import { Random } from './random.ts';
import { SimReader } from './reader.ts';
import { SimSandbox } from './sandbox.ts';
import { CALM, type Scenario, type Weather } from './scenario.ts';
import { Scheduler } from './scheduler.ts';
import { closeSimHost, openSimHost, type Parts } from './sim-host.ts';
import type { SimRun } from './sim-run.ts';

/** A host that runs, or is starting: then it has no parts yet. */
export type LiveHost = { life: Life; parts: Parts | null; reader: SimReader; sandbox: SimSandbox };

const DOWN_MS = 400;
const LINGER_MS = 150;

export class World {
  readonly scenario: Scenario;
  readonly folder: string;
  readonly home: Home;
  readonly random: Random;
  readonly scheduler: Scheduler;
  /** Everything that is not Halfdoor: it is never killed. */
  readonly outside = new Life('outside');
  readonly points: CrashPoints;
  readonly audit: Audit;
  readonly people: Person[];
  readonly post: Platform;
  readonly mail: Platform;
  readonly violations: string[] = [];
  readonly runs = new Set<SimRun>();
  weather: Weather;
  host: LiveHost | null = null;
  /** Called whenever a host is up. */
  onUp: (parts: Parts) => void = () => {};
  /** Called when somebody speaks out of turn. */
  onSpeak: () => void = () => {};
  readonly #bells: Bells;
  readonly #hot = new Set<string>();
  readonly #lost = new Set<string>();
  /** Sessions whose file could not be read in time, or was written after it was. */
  readonly #blurred = new Set<string>();
  readonly #lingering = new Set<SimRun>();
  readonly #ids: Ids;
  readonly #fingerprints = { [OUTBOUND_VERSION]: schemaFingerprint(outboundSchema()) };
  #hosts = 0;
  #cuts = 0;

  constructor(scenario: Scenario, below: string, coverage: Coverage) {
    this.scenario = scenario;
    this.weather = scenario.weather;
    this.folder = mkdtempSync(join(below, 'hd-sim-'));
    this.home = homeAt(join(this.folder, 'home'));
    this.random = new Random(scenario.seed);
    this.scheduler = new Scheduler(this.random);
    this.points = new CrashPoints(scenario.crashes, coverage);
    this.audit = new Audit(
      this.home,
      (what) => this.violate(what),
      (session) => this.#blurred.has(session),
    );
    const { scheduler, random, outside } = this;
    const shared = {
      scheduler,
      random,
      outside,
      weather: () => this.weather,
      violate: (what: string) => this.violate(what),
    };
    this.post = new Platform('post', true, shared);
    this.mail = new Platform('mail', false, shared);
    this.#bells = new Bells({ scheduler, random, lostPercent: () => this.weather.lostRings });
    this.#ids = makeIds(
      () => scheduler.wall,
      (bytes) => random.bytes(bytes),
    );
    this.people = Array.from(
      { length: scenario.agents },
      (_, agent) =>
        new Person(agentName(agent), {
          ...{ ...shared, dropPercent: () => this.weather.drops },
        }),
    );
  }

  violate(what: string): void {
    this.scheduler.note(`VIOLATED: ${what}`);
    this.violations.push(what);
  }

  /** No trouble from here on: what is under way must come to its end. */
  calm(): void {
    this.weather = CALM;
    this.points.disarm();
    for (const person of this.people) person.come();
    if (!this.host) this.startHost();
  }

  /** Starts a host, after everything that one before has left behind is ended, as strays are. */
  startHost(): void {
    if (this.host) return;
    for (const run of [...this.runs, ...this.#lingering]) run.kill();
    this.runs.clear();
    this.#lingering.clear();
    const life = new Life(`host ${(this.#hosts += 1)}`);
    const { scheduler, random, home } = this;
    const reader = new SimReader(life, {
      ...{ scheduler, random, out: home.out, fingerprints: this.#fingerprints },
      troublePercent: () => this.weather.lockedReads,
      isHot: (session) => this.#hot.has(session),
    });
    const sandbox = this.#sandbox(life);
    const host: LiveHost = { life, parts: null, reader, sandbox };
    this.host = host;
    void openSimHost({
      ...{ life, home, scheduler, ids: this.#ids, sandbox, reader },
      runDir: join(this.folder, 'run'),
      durable: this.#durable(life, (step) => this.audit.host(step)),
      channels: { post: this.post.adapter(life), mail: this.mail.adapter(life) },
      openBell: (path, onRing) => this.#bells.listen(life, path, onRing),
      isBusy: () => random.chance(this.weather.busyWrites),
      onError: (what) => this.violate(`the host says: ${what}`),
    }).then(
      (parts) => this.#isUp(host, parts),
      (error: unknown) => life.ended || this.violate(`the host did not start: ${String(error)}`),
    );
  }

  #isUp(host: LiveHost, parts: Parts): void {
    if (host.life.ended) return;
    host.parts = parts;
    const { life } = host;
    for (const person of this.people) person.meet({ life, terminal: parts.terminal, deliverer: parts.deliverer });
    if (!host.life.ended) this.onUp(parts);
  }

  /** Whether there is a host that was not told to end. */
  get #hostIsUp(): boolean {
    return this.host !== null && this.host.parts !== null;
  }

  #durable(life: Life, done: Parameters<typeof mortalDurable>[1]['done']) {
    return mortalDurable(life, { points: this.points, done, crash: (crash) => this.#onCrash(life, crash) });
  }

  #onCrash(life: Life, { step, edge, who, says }: Crash): void {
    if (says) this.scheduler.add(this.outside, 'speaks', 0, 'somebody speaks', () => this.onSpeak());
    this.scheduler.note(`${life.name} is to be killed ${edge} ${step}: ${who}`);
    if (who === 'power') this.cutPower();
    else if (life === this.host?.life) this.killHost();
    else if (who === 'linger') this.linger([...this.runs].find((it) => it.life === life));
    else this.killRun([...this.runs, ...this.#lingering].find((it) => it.life === life));
  }

  #sandbox(life: Life): SimSandbox {
    const { scheduler, random } = this;
    return new SimSandbox(life, {
      ...{ scheduler, random, bells: this.#bells, newId: this.#ids },
      durable: (of) => this.#durable(of, (step) => this.#afterRunner(of, step)),
      failPercent: () => this.weather.failedStarts,
      onStart: (run) => this.#onStart(run),
      onFailedStart: (spec) => this.#onFailedStart(spec),
      onOver: (run, exit, asked) => this.#onOver(run, exit, asked),
      // What a run that lingers asks its model comes to nothing.
      onPrompt: (run, ids) => this.#lingering.has(run) || this.audit.prompt(run.spec.sessionId, ids),
    });
  }

  #afterRunner(life: Life, step: Parameters<Audit['runner']>[1]): void {
    const run = [...this.runs, ...this.#lingering].find((it) => it.life === life);
    if (!run) return;
    const { sessionId } = run.spec;
    if (step === 'take-over') this.#hot.delete(sessionId);
    this.audit.runner(sessionId, step);
  }

  #onFailedStart(spec: SandboxSpec): void {
    if (spec.recover) this.#blurred.add(spec.sessionId);
    else this.audit.died(spec, null, this.#hostIsUp);
  }

  #onStart(run: SimRun): void {
    const other = [...this.runs].find((it) => it.spec.sessionId === run.spec.sessionId);
    if (other) this.violate(`${run.life.name} starts while ${other.life.name} lives`);
    this.runs.add(run);
  }

  #onOver(run: SimRun, exit: SandboxExit, asked: boolean): void {
    this.runs.delete(run);
    if (this.#lingering.delete(run)) return;
    if (run.spec.recover && this.#hot.has(run.spec.sessionId)) this.#blurred.add(run.spec.sessionId);
    this.scheduler.note(`${run.life.name} is over: ${exit.signal ?? exit.code}`);
    if (exit.code === 1) this.violate(`${run.life.name} failed: ${exit.stderr}`);
    if (!asked && !run.spec.recover) this.audit.died(run.spec, run.claims(), this.#hostIsUp);
  }

  /** SIGKILL of one run; what it was writing may be left half written. */
  killRun(run: SimRun | undefined): void {
    if (!run) return;
    if (this.random.chance(this.weather.hotJournals)) this.#hot.add(run.spec.sessionId);
    run.kill();
  }

  /** The host learns that a run is gone which writes on for a moment. */
  linger(run: SimRun | undefined): void {
    const { host } = this;
    if (!run || !host || run.spec.recover) return;
    this.runs.delete(run);
    this.#lingering.add(run);
    const exit = { code: null, signal: 'SIGKILL', stderr: '' };
    this.audit.died(run.spec, run.claims(), this.#hostIsUp);
    this.#blurred.add(run.spec.sessionId);
    this.#bells.deafen(run.life);
    host.sandbox.gone(run, exit);
    this.scheduler.after(run.life, this.random.below(LINGER_MS), 'is really gone', () => run.kill());
  }

  killHost(): void {
    const { host } = this;
    if (!host) return;
    this.host = null;
    host.life.end();
    this.scheduler.drop(host.life);
    this.audit.close();
    this.audit.forgive();
    for (const person of this.people) person.meet(null);
    this.scheduler.later(this.outside, 'host', DOWN_MS, 'a host is started', () => this.startHost());
  }

  /** Everything ends at once; what goes on goes on with the files as they lie there now. */
  cutPower(): void {
    const gone = join(this.folder, `gone-${(this.#cuts += 1)}`);
    renameSync(this.home.root, gone);
    cpSync(gone, this.home.root, { recursive: true, verbatimSymlinks: true });
    this.killHost();
    this.audit.close();
    for (const run of [...this.runs, ...this.#lingering]) this.killRun(run);
    rmSync(gone, { recursive: true, force: true });
  }

  /** The host is told to end, does so, and another one is started unless `last`. */
  restart(last: boolean, ended: () => void = () => {}): void {
    const { host } = this;
    if (!host?.parts) return;
    const { life, parts, reader } = host;
    host.parts = null;
    this.audit.forgive();
    const over = (): void => {
      if (life.ended) return;
      this.scheduler.note(`${life.name} has ended`);
      if (last) this.host = null;
      else this.killHost();
      ended();
    };
    void closeSimHost(parts, reader).then(
      over,
      (error: unknown) => life.ended || this.violate(`${life.name} could not end: ${String(error)}`),
    );
  }

  /** Everything ends at once, and the projection of a session is lost or broken; once in the life of a session. */
  loseInbound(agent: number): void {
    this.cutPower();
    const [session] = this.audit.central<{ id: string }>(
      `select sessions.id from sessions join agents on agents.id = agent_id
       where name = ? and ended_at is null`,
      agentName(agent),
    );
    if (!session || this.#lost.has(session.id)) return;
    this.#lost.add(session.id);
    const { inbound } = sessionPaths(this.home, session.id);
    this.audit.replaced(session.id);
    if (this.random.chance(50)) rmSync(inbound, { force: true });
    else writeFileSync(inbound, 'not a database');
  }

  close(): void {
    this.host?.life.end();
    for (const run of [...this.runs, ...this.#lingering]) run.life.end();
    this.audit.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
