import type { Place } from './place.ts';

const NOT_GIVEN = 'somebody-else';

/** Lists them, and hands the host a message for one that it was not given: the host's answer comes with the next prompt. */
export function destinations({ inside }: Place): string {
  const names = inside.destinations();
  const seq = inside.attempt(NOT_GIVEN, 'Can you hear me?');
  return [
    `I can send to: ${names.join(', ') || 'nobody'}. No more, whatever I write.`,
    `Just now I handed the host message ${seq} for "${NOT_GIVEN}", which I was not given.`,
    'It looks into its own list, not into mine. What it said is at the head of my next answer.',
  ].join('\n');
}
