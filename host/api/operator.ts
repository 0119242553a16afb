/** The routes of the operator's verbs: trace, dead letters, one session. They call; they decide nothing. */
import { RESPONSE_ALREADY_SENT } from '@hono/node-server/utils/response';
import type { Context, Hono } from 'hono';
import type { Clock } from '../clock.ts';
import { drop } from '../dead/decision.ts';
import { deadLetter, deadLetters } from '../dead/letters.ts';
import { replay, replayAll, type ReplayDeps } from '../dead/replay.ts';
import type { Home } from '../home.ts';
import { order } from '../inbound/order.ts';
import { sessionDetail } from '../sessions/detail.ts';
import type { Sessions } from '../sessions/sessions.ts';
import { trace, type TraceDeps } from '../trace/trace.ts';
import type { SessionView } from './contract.ts';
import type { ResetView, StopView } from './operator-contract.ts';
import { senderOf, type Env } from './request.ts';
import { serveTail, type TailDeps } from './tail.ts';
import { until } from './until.ts';

export type OperatorDeps = TailDeps & {
  clock: Clock;
  home: Home;
  uid: number;
  sessions: Sessions;
  /** What accepting needs, and taking up again. */
  letters: ReplayDeps;
  reader: TraceDeps['reader'];
};

/** How long a runner is given to stop by itself, and how long the end of a run and its successor may take. */
const OBEY_MS = 5_000;
const END_MS = 15_000;
const LETTERS_SHOWN = 500;
/** Of each in the list; one alone is shown whole. */
const TEXT_CHARS = 200;

export function addOperator(
  app: Hono<Env>,
  deps: OperatorDeps,
  oneSession: (id: string) => Promise<SessionView>,
): void {
  const { central, letters } = deps;
  const actor = (c: Context<Env>): string => senderOf(c, deps.uid);
  const mayTake = letters.mayTake.bind(letters);
  app.get('/v1/trace/:id', async (c) => c.json(await trace({ ...deps, mayTake }, c.req.param('id'))));
  app.get('/v1/dead', async (c) => {
    const found = await deadLetters(central.read, '', LETTERS_SHOWN);
    return c.json(found.map((it) => ({ ...it, text: it.text.slice(0, TEXT_CHARS) })));
  });
  app.post('/v1/dead/replay', async (c) => c.json(await replayAll(letters, actor(c))));
  app.get('/v1/dead/:id', async (c) => c.json(await deadLetter(central.read, c.req.param('id'))));
  app.post('/v1/dead/:id/replay', async (c) =>
    c.json(await replay(letters, await deadLetter(central.read, c.req.param('id')), actor(c))),
  );
  app.delete('/v1/dead/:id', async (c) => {
    const letter = await deadLetter(central.read, c.req.param('id'));
    await drop(letters, letter, actor(c));
    return c.json({ id: letter.id });
  });
  app.get('/v1/sessions/:id', async (c) =>
    c.json(await sessionDetail(central.read, deps.home, await oneSession(c.req.param('id')))),
  );
  app.get('/v1/sessions/:id/tail', async (c) => {
    const { id } = await oneSession(c.req.param('id'));
    await serveTail(deps, id, c.req.query('follow') === '1', c.env.outgoing);
    return RESPONSE_ALREADY_SENT;
  });
  app.post('/v1/sessions/:id/stop', async (c) =>
    c.json(await stop(deps, (await oneSession(c.req.param('id'))).id, actor(c))),
  );
  app.post('/v1/sessions/:id/reset', async (c) => {
    const { id } = await oneSession(c.req.param('id'));
    const { open } = await order(letters, id, '/new', actor(c));
    return c.json({ sessionId: id, dropped: open } satisfies ResetView);
  });
}

/**
 * As /stop in the chat, and then the run ends too. A runner that does not obey is ended first; the order is durable, so
 * the next run carries it out before anything else.
 */
async function stop(deps: OperatorDeps, id: string, actor: string): Promise<StopView> {
  const { open, eventId } = await order(deps.letters, id, '/stop', actor);
  const isDone = () => isSettled(deps, eventId);
  let done = await until(deps, ['settled'], isDone, OBEY_MS);
  deps.sessions.stop(id);
  if (!done) {
    done = await until(deps, ['settled'], isDone, END_MS);
    deps.sessions.stop(id);
  }
  const asleep = () => Promise.resolve(deps.sessions.state(id).state === 'asleep');
  if (done) await until(deps, ['session'], asleep, END_MS);
  return { sessionId: id, takenBack: open, done };
}

async function isSettled({ central }: OperatorDeps, eventId: string | null): Promise<boolean> {
  if (eventId === null) return true;
  const open = await central.read
    .selectFrom('dispatches')
    .select('id')
    .where('event_id', '=', eventId)
    .where('state', '=', 'open')
    .executeTakeFirst();
  return open === undefined;
}
