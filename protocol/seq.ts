/**
 * seq, the number an agent sees: rows of the host are even, rows of the runner odd. Each side counts from its own
 * file and from what it has taken in of the other side, so neither number depends on a file the other can rewrite.
 */
export const HOST_PARITY = 0;
export const RUNNER_PARITY = 1;

/** The next seq of `parity` above everything in `above`. */
export function nextSeq(parity: 0 | 1, ...above: number[]): number {
  const floor = Math.max(0, ...above);
  return (floor + 1) % 2 === parity ? floor + 1 : floor + 2;
}
