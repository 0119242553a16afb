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

/** A command alone is never broken: it is there to be copied. */
const SENTENCE = /[a-z)]\.( |$)|[a-z]: /;

/** A next step: each of its lines is wrapped where it is a sentence. */
export const wrapStep = (text: string): string[] =>
  text.split('\n').flatMap((line) => (SENTENCE.test(line) && !line.startsWith('Run: ') ? wrap(line) : [line]));

/** Several lines stay as they are: they quote somebody. */
export const wrapSaid = (text: string): string[] => (text.includes('\n') ? [text] : wrap(text));
