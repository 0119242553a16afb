/** What people send, once each, until it is acknowledged; and what must come of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Incoming, IncomingFile } from '../../../host/channels/channel-host.ts';
import { WITH_FILE } from './platform.ts';
import type { Script } from './scenario.ts';

export type Place = 'terminal' | 'post' | 'mail';

export type Message = {
  platformId: string;
  chat: string;
  text: string;
  /** What is to be read, and where, once this is answered. */
  replies: { at: Place; text: string }[];
  acknowledged: boolean;
  /** What is in the file that comes with it. */
  brings?: string;
};

export const SENDER = 'local:1000';

export const agentName = (agent: number): string => `agent-${agent}`;

/** A file that comes along is the platform's until it is taken: it is there again for each try. */
export const incoming = (message: Message, spool: string): Incoming => ({
  address: { channel: 'terminal', chat: message.chat, thread: null },
  platformId: message.platformId,
  sender: SENDER,
  text: message.text,
  ...(message.brings === undefined ? {} : { files: [brought(message, message.brings, spool)] }),
});

function brought({ platformId }: Message, content: string, spool: string): IncomingFile {
  const path = join(spool, `brought-${platformId}`);
  writeFileSync(path, content);
  return { name: 'note.txt', mime: 'text/plain', path };
}

const say = (to: Place, text: string): string => `@tool send_message ${JSON.stringify({ to, text })}`;

/** A file with this in it, and this said with it. */
const sending = (to: Place, caption: string): string =>
  `@write note.txt ${caption}\n@tool send_file ${JSON.stringify({ to, path: 'note.txt', caption })}`;

const at = (place: Place, text: string): { at: Place; text: string } => ({ at: place, text });

/** `word` is found in nothing else that is ever said. */
function scripted(script: Script, word: string): Pick<Message, 'text' | 'replies' | 'brings'> {
  const answer = `@reply ${word}`;
  const own = [at('terminal', word)];
  switch (script) {
    case 'plain':
      return { text: answer, replies: own };
    case 'slow':
      return { text: `@slow 200\n${answer}`, replies: own };
    case 'says-first':
      return {
        text: `${say('terminal', `${word}-first`)}\n@slow 100\n${answer}`,
        replies: [...own, at('terminal', `${word}-first`)],
      };
    case 'to-post':
      return { text: `@to post ${word}\n${answer}`, replies: [...own, at('post', word)] };
    case 'to-mail':
      return { text: `@to mail ${word}`, replies: [at('mail', word)] };
    case 'to-both':
      return { text: `${say('mail', word)}\n@to post ${word}`, replies: [at('mail', word), at('post', word)] };
    case 'brings-file':
      return { text: '@attached', replies: own, brings: word };
    case 'sends-file': {
      const sent = `${word}${WITH_FILE}`;
      return { text: sending('terminal', sent), replies: [at('terminal', sent)] };
    }
    case 'posts-file': {
      const sent = `${word}${WITH_FILE}`;
      return { text: sending('post', sent), replies: [at('post', sent)] };
    }
    case 'long': {
      const long = Array.from({ length: 60 }, (_, n) => `${word}-${n}`).join(' ');
      return { text: `@to post ${long}\n@to mail ${long} too`, replies: [at('post', long), at('mail', `${long} too`)] };
    }
    case 'silent':
      return { text: '@silent', replies: [] };
    case 'transient':
      return { text: `@fail transient*2 later\n${answer}`, replies: own };
    case 'transient-always':
      return { text: '@fail transient later', replies: [] };
    case 'hours':
      return { text: `@sleep 15000000\n${answer}`, replies: own };
    case 'quota':
      return { text: `@fail quota*1 used up\n${answer}`, replies: own };
    case 'fatal':
      return { text: '@fail fatal broken', replies: [] };
    case 'invalid-session':
      return { text: `@fail invalid-session\n${answer}`, replies: own };
    case 'unaddressed':
      return { text: '@raw to nobody', replies: [] };
    case 'unknown-destination':
      return { text: `@to nobody ${word}\n${answer}`, replies: own };
  }
}

export const message = (n: number, agent: number, script: Script): Message => ({
  platformId: `m${n}`,
  chat: agentName(agent),
  ...scripted(script, `word${n}`),
  acknowledged: false,
});

export const command = (n: number, agent: number, text: string): Message => ({
  platformId: `m${n}`,
  chat: agentName(agent),
  text,
  replies: [],
  acknowledged: false,
});
