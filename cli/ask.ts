import { createInterface } from 'node:readline/promises';

/** Whether somebody is there to be asked. */
export const canAsk = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

/** One question whose answer is no unless it is yes. Without a terminal it is no. */
export async function askYes(question: string): Promise<boolean> {
  if (!canAsk()) return false;
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question(`${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    asking.close();
  }
}
