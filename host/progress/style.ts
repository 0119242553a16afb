/** What people see while they wait, by what their place can show. */
import type { Progress } from '@halfdoor/protocol/host';
import type { Capabilities } from '../channels/channel.ts';
import type { ProgressStyle } from '../db/schema.ts';

/** Cheapest first; each shows what those before it show, and more. */
export const PROGRESS_STYLES = ['off', 'typing', 'steps', 'stream'] as const satisfies readonly ProgressStyle[];

type Shows = Pick<Capabilities, 'canType' | 'canEdit' | 'canDelete'>;

/** Whether a place on such a platform can show this. */
export function canShow(style: ProgressStyle, { canType, canEdit, canDelete }: Shows): boolean {
  if (style === 'off') return true;
  return style === 'typing' ? canType : canEdit && canDelete;
}

/**
 * `wanted` null: the text as it grows where a person is alone with the agent, a sign of typing among many. What the
 * platform cannot show becomes the next cheaper style.
 */
export function styleFor(wanted: ProgressStyle | null, kind: 'dm' | 'group', shows: Shows): ProgressStyle {
  const from = PROGRESS_STYLES.indexOf(wanted ?? (kind === 'dm' ? 'stream' : 'typing'));
  return PROGRESS_STYLES.slice(0, from + 1).findLast((style) => canShow(style, shows)) ?? 'off';
}

/** The name comes from inside. */
const NAME_CHARS = 80;

/** One line for `steps`; null where there is nothing worth a line. */
export function stepLine(state: Progress['state'], detail: string | null): string | null {
  switch (state) {
    case 'waiting':
      return 'Waiting for the model …';
    case 'thinking':
      return 'Thinking …';
    case 'writing':
      return 'Writing …';
    case 'tool':
      return `Running ${detail?.slice(0, NAME_CHARS) ?? 'a tool'} …`;
    case 'retrying':
      return `Trying again${detail === null ? '' : ` (${detail.slice(0, NAME_CHARS)})`} …`;
    case 'idle':
      return null;
  }
}

/** What is shown of a text that is still being written: its newest part where it is too long, and a sign that it goes on. */
export function unfinished(text: string, most: number): string {
  const room = most - 4;
  if (text.length <= room) return `${text.trimEnd()} …`;
  const from = text.length - room;
  const code = text.charCodeAt(from);
  return `… ${text.slice(code >= 0xdc00 && code < 0xe000 ? from + 1 : from).trimEnd()} …`;
}
