/** What somebody wants of the script, from whatever they wrote; and what it has shown them so far. */
export const TOPICS = ['look', 'file', 'command', 'network', 'destinations', 'door'] as const;
export type Topic = (typeof TOPICS)[number];

export type Wish = { show: Topic } | { run: string } | 'list' | 'unclear';

/** Whole words, in small letters; the first topic with one of them is meant. */
const WORDS: readonly [topic: Topic, words: RegExp][] = [
  ['network', /\b(network|internet|online|dns|web|tcp|curl|connect\w*|loopback)\b/],
  ['destinations', /\b(destinations?|recipients?|send|reach|contacts?|whom)\b/],
  ['door', /\b(doors?|half-?door|database|databases|sqlite|rows?|two files|how (does|do) (it|this|you) work)\b/],
  ['command', /\b(commands?|shell|execute|run|bash|terminal)\b/],
  ['file', /\b(write|save|create|read( it)? back|make a file|a file)\b/],
  ['look', /\b(see|look|files?|folder|user|whoami|who are you|process\w*|env|environment|around|where)\b/],
];

export function wishOf(text: string): Wish {
  const command = /^\s*run\s*:\s*([^]*\S)\s*$/i.exec(text)?.[1];
  if (command !== undefined) return { run: command };
  const plain = text.trim().toLowerCase();
  if (/^(help|list|menu|\?+|what can you do\b.*|h(ello|i|ey)\b.*)$/.test(plain)) return 'list';
  const numbers = [...plain.matchAll(/(?<![\w.])#?([1-6])(?![\w]|\.\d)/g)].map(([, digit]) => Number(digit));
  const [number] = numbers;
  const topic = numbers.length === 1 && number !== undefined ? TOPICS[number - 1] : undefined;
  const meant = topic ?? WORDS.find(([, words]) => words.test(plain))?.[0];
  return meant === undefined ? 'unclear' : { show: meant };
}

export type Memory = { shown: Topic[] };

/** Null when nothing was said yet, or what was kept cannot be read: then it greets again. */
export function readMemory(continuation: string | undefined): Memory | null {
  try {
    const kept = JSON.parse(continuation ?? 'null') as { shown?: unknown } | null;
    if (!Array.isArray(kept?.shown)) return null;
    const { shown } = kept as { shown: unknown[] };
    return { shown: TOPICS.filter((topic) => shown.includes(topic)) };
  } catch {
    return null;
  }
}

export const writeMemory = (memory: Memory): string => JSON.stringify(memory);
