/**
 * Every effect that must survive a power cut goes through one door, so that a crash test can stop the process
 * at each of them and a lint can see that there is no other. The union is closed: a new step is a new line here.
 */
export const DURABLE_STEPS = [
  'migrate', // central schema
  'template', // the two empty session files every session is copied from
  'agent', // agent, chat, wiring and destination in one
  'agent-folder', // its instructions, before the row that counts on them
  'secrets-key', // the file that opens kept secrets
  'secret', // a kept secret, sealed
  'channel', // channels, who may speak through them, and which agent listens where
  'session-folder', // the folder and both files, before the row that names them
  'attachments', // what came with a message, before the event that names it
  'accept', // event and frozen dispatches
  'enqueue', // messages_in and waiting projections
  'start-run', // the run number of a session, before its sandbox starts
  'settle-dead', // tries of a run that died; dead letters and their notices
  'outbox', // the host's copies of an agent's files, before the delivery that names them
  'collect', // deliveries, dispatch states and cursor
  'park', // messages that wait for a quota behind others, and the end of their wait
  'receipt', // what the platform said, and `sending` of the next head
  'preview', // a message that shows how far a reply is, until it is taken away
  'folder', // which folders may be given to sessions, and which session works on which
  'egress-rule', // which hosts an agent may reach, where agents search, and the audit of it
  'egress-log', // what agents asked for outside, a batch at a time
  'end-session', // a clean start, and folders that are no longer needed
  'take-over', // runner: this run owns outbound.db from here on
  'continuation', // runner: the provider's handle
  'out-file', // runner: a file of the agent's, before the message that names it
  'say', // runner: a message sent in mid-turn
  'settle', // runner: last messages of the turn, acks and continuation
  'prune-outbound', // runner: rows the host has collected
  'prune-inbound', // host: rows that are settled
  'dead-letter', // a dead letter taken up again or dropped, with its audit
  'forget', // rows of central past their age
  'rotate-log', // an older log gets its number
] as const;
export type DurableStep = (typeof DURABLE_STEPS)[number];

export type Edge = 'before' | 'after';

/** Runs `effect`; a promise counts as done when it resolves. Adds nothing to what `effect` promises or throws. */
export type Durable = <T>(step: DurableStep, effect: () => T) => T;

/** `watch` is told of both edges of every step, in order. Crash tests end the process from inside it. */
export function makeDurable(watch?: (step: DurableStep, edge: Edge) => void): Durable {
  if (!watch) return (_step, effect) => effect();
  return (step, effect) => {
    watch(step, 'before');
    const result = effect();
    if (result instanceof Promise) {
      return result.then((value) => {
        watch(step, 'after');
        return value;
      }) as typeof result;
    }
    watch(step, 'after');
    return result;
  };
}
