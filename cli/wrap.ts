/** Text for a terminal of 80 columns. */
const COLUMNS = 80;

/** Lines broken at spaces, all but the first behind `indent`. A word that is longer, such as a path, keeps its line to itself. */
export function wrap(text: string, indent = ''): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line === '' || longer.length <= COLUMNS) line = longer;
    else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line];
}
