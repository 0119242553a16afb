/** What a command does, inside the transaction that accepts it. */
import type { Tx } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { insertNotice } from '../outbound/notice.ts';
import { shellWord } from '../shell-word.ts';
import { HELP_TEXT, type Command } from './command.ts';
import { dispatch, type Aftermath, type Arrival } from './dispatch.ts';
import type { Routed } from './route.ts';

type To = Routed & { sessionId: string };
type ObeyDeps = { ids: Ids; now(): string };

export async function obey(
  deps: ObeyDeps,
  tx: Tx,
  arrival: Arrival,
  command: Command,
  to: To,
  aftermath: Aftermath,
): Promise<void> {
  switch (command) {
    case '/help':
      return say(deps, tx, arrival, to, HELP_TEXT);
    case '/status':
      return say(deps, tx, arrival, to, arrival.status);
    case '/stop':
      return stop(deps, tx, arrival, to, aftermath);
    case '/new':
      return startAfresh(deps, tx, arrival, to, aftermath);
  }
}

async function say(deps: ObeyDeps, tx: Tx, arrival: Arrival, to: To, text: string): Promise<void> {
  const key = `command:${arrival.eventId}:${to.agentId}`;
  const { agentId, sessionId } = to;
  const address = arrival.incoming.address;
  await insertNotice(tx, { key, agentId, sessionId, address, text, eventIds: [arrival.eventId] }, deps.ids, deps.now());
}

/** Work under way ends by a control row, which takes back everything accepted before it; else there is nothing to end. */
async function stop(deps: ObeyDeps, tx: Tx, arrival: Arrival, to: To, aftermath: Aftermath): Promise<void> {
  const open = await tx
    .selectFrom('dispatches')
    .select('id')
    .where('session_id', '=', to.sessionId)
    .where('state', '=', 'open')
    .where('wakes', '=', 1)
    .limit(1)
    .executeTakeFirst();
  if (open) aftermath.enqueue.push(await dispatch(deps, tx, arrival, to, 'control', true));
  else await say(deps, tx, arrival, to, 'Nothing is running.');
}

/** The clean start: this session takes nothing more; the next message makes a new one with an empty folder. */
async function startAfresh(deps: ObeyDeps, tx: Tx, arrival: Arrival, to: To, aftermath: Aftermath): Promise<void> {
  const { folder } = await tx
    .updateTable('sessions')
    .set({ ended_at: arrival.at })
    .where('id', '=', to.sessionId)
    .returning('folder')
    .executeTakeFirstOrThrow();
  const dropped = await tx
    .updateTable('dispatches')
    .set({ state: 'failed', reason: 'new-conversation', settled_at: arrival.at })
    .where('session_id', '=', to.sessionId)
    .where('state', '=', 'open')
    .returning(['event_id', 'kind'])
    .execute();
  const unanswered = dropped.filter((row) => row.kind === 'chat').length;
  const note =
    unanswered === 0 ? '' : ` ${unanswered} unanswered message${unanswered === 1 ? ' was' : 's were'} dropped.`;
  const command = `halfdoor chat ${to.agent} --dir ${shellWord(folder ?? '')}`;
  const without = folder === null ? '' : ` It does not have the folder ${folder}; to give it again: ${command}`;
  await say(deps, tx, arrival, to, `A new conversation begins.${note}${without}`);
  aftermath.settledEvents.push(...dropped.map((row) => row.event_id));
  aftermath.ended.push({ sessionId: to.sessionId, agentId: to.agentId });
}
