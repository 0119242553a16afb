/** A word as a person can paste it into a shell. */
export const shellWord = (word: string): string =>
  /^[\w./+:@%-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
