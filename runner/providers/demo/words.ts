/** What the script says around what it shows. */
import { TOPICS, type Topic } from './wish.ts';

const TITLES: Record<Topic, string> = {
  look: 'what I can see: files, user, processes, environment',
  file: 'write a file and read it back',
  command: 'run a command; or write "run: …" with one of your own',
  network: 'try the network, and say why it does not work',
  destinations: 'my destinations, and one that I was not given',
  door: 'the door: the two files between you and me',
};

const MODEL = 'For a real model: ./halfdoor setup (it picks up ANTHROPIC_API_KEY, OPENAI_API_KEY or a local Ollama).';

export const INTRODUCTION =
  'I am a script, not a model: I know a few words, and what I show I really do, inside this sandbox.';

export const list = (): string =>
  ['Write a number:', ...TOPICS.map((topic, at) => ` ${at + 1}  ${TITLES[topic]}`), MODEL].join('\n');

export const UNCLEAR = 'I did not understand that: I am a script and know only what is on my list.';

/** What to try next, and how to get a model. */
export function closing(shown: readonly Topic[]): string {
  const next = TOPICS.findIndex((topic) => !shown.includes(topic));
  const topic = TOPICS[next];
  const hint =
    topic === undefined
      ? 'That was my whole list. Write "help" for it.'
      : `Next: write ${next + 1} (${TITLES[topic]}).`;
  return `${hint}\n${MODEL}`;
}

/** Output of a program between our own words, set in so far that it opens no code. */
export const output = (text: string): string => (text.trimEnd() || '(no output)').replaceAll(/^/gm, '    ');
