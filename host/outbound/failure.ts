/** Why a message got no answer, in words for the person who waits: what happened and what to do next. */
import { LIMITS } from '@halfdoor/protocol/limits';
import { size } from '../byte-size.ts';

export type Failure = { error: string; next: string };

const TRY_AGAIN = 'Send the message again.';

/**
 * `reason` is what stands in the dispatch: `<kind>: <detail>` from a runner, or one of the host's own. `again` says how
 * that is tried once more.
 */
export function failureOf(reason: string | null, again: string = TRY_AGAIN): Failure {
  const [kind, ...rest] = (reason ?? 'fatal').split(': ');
  const detail = rest.join(': ').trim();
  const because = detail === '' ? '' : `: ${detail}`;
  switch (kind) {
    case 'stopped':
      return { error: 'stopped before it was answered', next: 'Send it again if it still matters.' };
    case 'new-conversation':
      return { error: 'a new conversation began before this was answered', next: TRY_AGAIN };
    case 'transient':
      return { error: `the model could not be reached${because}`, next: `Check the endpoint. ${again}` };
    case 'quota':
      return {
        error: `the model's quota is used up${because}`,
        next: 'Wait until it resets, or give the agent another model.',
      };
    case 'auth':
      return { error: detail || 'the model refused the key', next: giveKey(detail) };
    case 'model':
      return { error: detail, next: 'See what the agent asks for: ./halfdoor agents get NAME.' };
    case 'agent-deleted':
      return { error: 'the agent was deleted before this was answered', next: 'Send it to another agent.' };
    case 'chat-removed':
      return { error: 'the chat was removed before this was answered', next: 'Ask an owner to add it again.' };
    case 'sandbox':
      return {
        error: `the sandbox could not start${because}`,
        next: 'See `./halfdoor status` and host.log in the home, then send it again.',
      };
    case 'folder':
      return {
        error: `the agent's folder cannot be used${because}`,
        next: 'Mend that, give it again: ./halfdoor chat AGENT --dir PATH, or go on without: ./halfdoor chat AGENT --no-dir.',
      };
    case 'died':
      return diedOf(detail);
    case 'hostile-file':
      return {
        error: `the session's outbound file is not what the host made${because}`,
        next: 'Begin afresh with /new; look at the session folder if you did not expect this.',
      };
    case 'memory-limit':
      return {
        error: `the agent used more than its ${size(LIMITS.memoryBytes)} of memory each time it worked on this`,
        next: 'Ask for less at once, or begin afresh with /new.',
      };
    case 'open-files-limit':
      return {
        error: `the agent held more than its ${LIMITS.openFiles} files open each time it worked on this`,
        next: 'Ask for less at once, or begin afresh with /new.',
      };
    case 'disk-limit':
      return {
        error: `the agent's files took more than their ${size(LIMITS.diskBytes)} of the disk, or were more than ${LIMITS.diskEntries}`,
        next: 'Ask it to delete what it does not need, or begin afresh with /new.',
      };
    case 'too-large':
      return { error: `the session's outbound file is over its limit${because}`, next: 'Begin afresh with /new.' };
    default:
      return { error: `the agent failed${because}`, next: again };
  }
}

type Death = 'locked' | 'lifeless' | 'unready' | 'unheeded' | 'silent';
/** Why the host ended a run, in words; where it died by itself its own ending says it. */
const DEATHS: Readonly<Record<Death, Failure>> = {
  locked: {
    error: 'something in the sandbox held its files locked each time it worked on this',
    next: 'Change the message, or begin afresh with /new.',
  },
  lifeless: {
    error: 'the agent stopped each time it worked on this and gave no sign of life for a minute',
    next: 'Change the message, or begin afresh with /new.',
  },
  unready: {
    error: 'the sandbox started and never got ready',
    next: 'See `./halfdoor doctor` and host.log in the home, then send it again.',
  },
  unheeded: {
    error: 'the agent went on each time when it was told to stop',
    next: 'Begin afresh with /new.',
  },
  silent: {
    error: `the model was asked and said nothing for ${LIMITS.silenceMs / 60_000} minutes each time`,
    next: 'Check the model endpoint with ./halfdoor agents check AGENT, then send it again.',
  },
};

function diedOf(ending: string): Failure {
  if (Object.hasOwn(DEATHS, ending)) return DEATHS[ending as Death];
  const because = ending === '' ? '' : `: ${ending}`;
  return {
    error: `the agent's run died each time it worked on this${because}`,
    next: `Change the message, or begin afresh with /new.`,
  };
}

/** The secret that is named is the one to set; where none is, the agent is given none. */
function giveKey(detail: string): string {
  const [, name] = /\bsecret ([A-Z][A-Z0-9_]{0,63})\b/.exec(detail) ?? [];
  if (name) return `Set it: ./halfdoor secrets set ${name}. It holds from the next message on.`;
  return 'Name a key: ./halfdoor secrets set NAME, then ./halfdoor agents update AGENT --key NAME.';
}

export const failureText = (reason: string | null): string => {
  const { error, next } = failureOf(reason);
  return `No answer: ${error}. ${next}`;
};

/** A reply that its destination did not take, for the person who asked for it elsewhere. */
export const undeliveredText = (destination: string | null, reason: string): string =>
  `What was said to ${destination ?? 'another place'} could not be delivered: ${reason}. Look there, then ask for it again.`;

/** The same, for the agent that said it. */
export const undeliveredToAgentText = (seq: number, destination: string | null, reason: string): string =>
  `Your message #${seq} to ${destination ?? 'another place'} was not delivered and is given up: ${reason}. Say so to whoever waits for it, or try another way; an owner can have it sent again.`;

export const NO_REPLY_TEXT = 'The agent finished without writing anything to you. Ask again, or say what you expect.';
