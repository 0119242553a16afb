/** How many columns text takes on a terminal, and where it wraps. Counted by code point, as terminals do (wcwidth). */

/** Marks, joiners, variation selectors, format characters. */
const NONE = /[\p{Mn}\p{Me}\p{Cf}]/u;
/** Unicode TR11, wide and full-width: Hangul, CJK, kana, full-width forms; and what is shown as a picture. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\ua960-\ua97c\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1b000}-\u{1b2ff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const TAB = '    ';

const widthOfOne = (point: string): number => (point < '\u0300' ? 1 : NONE.test(point) ? 0 : WIDE.test(point) ? 2 : 1);

/** Of one line without control characters. */
export function widthOf(text: string): number {
  let width = 0;
  for (const point of text) width += widthOfOne(point);
  return width;
}

/** Rows of at most `width` columns; every newline begins one. At least one row, which may be empty. */
export function wrap(text: string, width: number): string[] {
  return text
    .replaceAll('\t', TAB)
    .split('\n')
    .flatMap((line) => wrapLine(line, Math.max(2, width)));
}

function wrapLine(line: string, width: number): string[] {
  const rows: string[] = [];
  let row = '';
  let used = 0;
  for (const point of line) {
    const more = widthOfOne(point);
    if (used + more > width) {
      rows.push(row);
      row = '';
      used = 0;
    }
    row += point;
    used += more;
  }
  return [...rows, row];
}

/** As much of one line as fits. */
export const fit = (line: string, width: number): string => wrapLine(line, Math.max(2, width))[0] ?? '';
