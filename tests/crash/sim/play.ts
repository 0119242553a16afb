/** Plays a story: people speak, things go wrong, then all is calm until everything is settled and asleep. */
import { createAgent } from '../../../host/agents/agents.ts';
import { Refusal } from '../../../host/refusal.ts';
import type { Coverage } from './crash-points.ts';
import { agentName, command, incoming, message, type Message } from './people.ts';
import type { Op, Scenario } from './scenario.ts';
import type { Parts } from './sim-host.ts';
import { judge } from './verdict.ts';
import { World } from './world.ts';

export type Played = { violations: string[]; trace: string[]; messages: number };

/** Far more than any story needs: past it, something goes round in circles. */
const MAX_STEPS = 150_000;
/** Deliveries are tried for ten minutes, and an idle sandbox lives for ten. */
const MAX_MS = 6 * 3_600_000;
const HOUR_MS = 3_600_000;
const LOOK_EVERY = 25;
/** Numbers of messages that the story does not name. */
const OUT_OF_TURN = 100_000;

export async function play(scenario: Scenario, below: string, coverage: Coverage): Promise<Played> {
  const world = new World(scenario, below, coverage);
  try {
    const messages = await new Play(world).toTheEnd();
    return { violations: world.violations, trace: world.scheduler.trace, messages };
  } finally {
    world.close();
  }
}

class Play {
  readonly #world: World;
  readonly #sent: Message[] = [];
  readonly #ready = new Set<string>();
  #opsLeft: number;
  #steps = 0;

  constructor(world: World) {
    this.#world = world;
    this.#opsLeft = world.scenario.ops.length;
  }

  async toTheEnd(): Promise<number> {
    const world = this.#world;
    world.onUp = (parts) => void this.#onUp(parts).catch((error: unknown) => this.#failed(parts, error));
    world.onSpeak = () => this.#speak();
    world.startHost();
    await this.#until('everybody can be spoken to', () => this.#ready.size === world.scenario.agents);
    this.#plan();
    await this.#until('the story is told', () => this.#opsLeft === 0);
    world.calm();
    await this.#until('everything is settled', () => this.#isSettled());
    if (world.scenario.ending === 'stopped') await this.#stop();
    await this.#untilStill();
    judge(world, this.#sent);
    return this.#sent.length;
  }

  async #until(what: string, isSo: () => boolean): Promise<void> {
    const { scheduler, violations } = this.#world;
    for (let since = 0; violations.length === 0; since += 1) {
      if (since % LOOK_EVERY === 0 && isSo()) return;
      this.#steps += 1;
      if (this.#steps > MAX_STEPS || scheduler.passedMs > MAX_MS || !(await scheduler.step())) {
        if (!isSo()) this.#world.violate(`it never came to this: ${what}; to come: ${scheduler.pending().join(', ')}`);
        return;
      }
    }
  }

  /** Until nothing is to come: no timer, no poll, nobody awake. */
  async #untilStill(): Promise<void> {
    const { scheduler } = this.#world;
    await this.#until('nothing is scheduled any more', () => scheduler.size === 0);
  }

  async #stop(): Promise<void> {
    await this.#until('a host is up', () => this.#isUp(this.#world.host?.parts));
    let ended = false;
    this.#world.restart(true, () => (ended = true));
    await this.#until('the host has ended', () => ended);
  }

  /** Whether this host takes anything: it is up, and was not told to end. */
  #isUp(parts: Parts | null | undefined): parts is Parts {
    return parts !== null && parts !== undefined && this.#world.host?.parts === parts;
  }

  /** A host is up: whoever is not there is made, what was not acknowledged is sent again. */
  async #onUp(parts: Parts): Promise<void> {
    const { scenario } = this.#world;
    for (let agent = 0; agent < scenario.agents; agent++) {
      await this.#makeAgent(parts, agentName(agent));
      if (!this.#isUp(parts)) return;
      this.#ready.add(agentName(agent));
    }
    for (const it of this.#sent) if (!it.acknowledged) void this.#send(it);
  }

  async #makeAgent(parts: Parts, name: string): Promise<void> {
    const { home } = this.#world;
    try {
      const durable = parts.durable;
      const probe = (): Promise<{ ok: true }> => Promise.resolve({ ok: true });
      await createAgent({ ...parts, home, durable, probe }, { name, provider: 'mock', sandbox: 'process' });
    } catch (error) {
      if (!this.#isUp(parts)) return;
      if (!(error instanceof Refusal && error.code === 'exists')) this.#world.violate(`no agent: ${String(error)}`);
    }
    if (this.#isUp(parts)) await addRooms(parts, name);
  }

  #plan(): void {
    const { scheduler, outside, scenario } = this.#world;
    let at = 0;
    scenario.ops.forEach(({ after, it }, n) => {
      at += after;
      scheduler.add(outside, 'story', at, `the story: ${JSON.stringify(it)}`, () => {
        this.#opsLeft -= 1;
        this.#do(n, it);
      });
    });
  }

  #do(n: number, it: Op): void {
    const world = this.#world;
    const agentOf = (agent: number): number => agent % world.scenario.agents;
    switch (it.op) {
      case 'send':
        return this.#say(message(n, agentOf(it.agent), it.script));
      case 'burst':
        for (let i = 0; i < it.count; i++) this.#say(message(n * 100 + i + 1000, agentOf(it.agent), 'plain'));
        return undefined;
      case 'stop':
      case 'new':
      case 'status':
        return this.#say(command(n, agentOf(it.agent), `/${it.op}`));
      case 'leave':
      case 'come':
        return world.people[agentOf(it.agent)]?.[it.op]();
      case 'kill':
        return { host: () => world.killHost(), run: () => this.#killRun(), power: () => world.cutPower() }[it.who]();
      case 'linger':
        return world.linger([...world.runs][0]);
      case 'restart':
        return world.restart(false);
      case 'set-clock':
        return world.scheduler.setWall(it.hours * HOUR_MS);
      case 'lose-inbound':
        return world.loseInbound(agentOf(it.agent));
    }
  }

  /** Nobody speaks to an agent that is not made yet. */
  #speak(): void {
    const { random, scenario } = this.#world;
    const agent = random.below(scenario.agents);
    if (this.#ready.has(agentName(agent))) this.#say(message(OUT_OF_TURN + this.#sent.length, agent, 'plain'));
  }

  #killRun(): void {
    const { runs, random } = this.#world;
    const all = [...runs];
    this.#world.killRun(all[random.below(Math.max(1, all.length))]);
  }

  #say(it: Message): void {
    this.#sent.push(it);
    void this.#send(it);
  }

  /** As a channel does: not acknowledged before it is committed, and sent again to the next host otherwise. */
  async #send(it: Message): Promise<void> {
    const parts = this.#world.host?.parts;
    if (!this.#isUp(parts)) return;
    try {
      await parts.accept(incoming(it, this.#world.folder));
      it.acknowledged = true;
    } catch (error) {
      this.#failed(parts, error);
    }
  }

  /** Of a host that is gone or ending nothing else is to be expected. */
  #failed(parts: Parts, error: unknown): void {
    if (this.#isUp(parts)) this.#world.violate(`the host threw: ${String(error)}`);
  }

  /** Nothing open, nothing on its way, everything acknowledged. */
  #isSettled(): boolean {
    if (this.#sent.some((it) => !it.acknowledged)) return false;
    const [left] = this.#world.audit.central<{ n: number }>(
      `select (select count(*) from dispatches where state = 'open' and wakes = 1)
       + (select count(*) from deliveries where state in ('queued', 'sending')) as n`,
    );
    return left?.n === 0;
  }
}

/** Two more rooms that the agent may speak in. */
function addRooms({ central, ids, now }: Parts, name: string): Promise<void> {
  return central.commit('agent', async (tx) => {
    const agent = await tx.selectFrom('agents').select('id').where('name', '=', name).executeTakeFirstOrThrow();
    for (const channel of ['post', 'mail']) {
      const known = await tx
        .selectFrom('agent_destinations')
        .select('target_id')
        .where('agent_id', '=', agent.id)
        .where('local_name', '=', channel)
        .executeTakeFirst();
      if (known) continue;
      const id = ids();
      await tx.insertInto('chats').values({ id, channel, platform_id: name, created_at: now() }).execute();
      const to = { agent_id: agent.id, local_name: channel, target_type: 'chat' as const, target_id: id };
      await tx.insertInto('agent_destinations').values(to).execute();
    }
  });
}
