/** The runner's end of the bell. Before each of `rings` rings it writes its number into `counter`; then it stays. */
import { openSync, writeSync } from 'node:fs';
import { connectBell } from '../../bell.ts';

const input = JSON.parse(process.argv[2] ?? '') as { path: string; rings: number; counter?: string };
const bell = await connectBell(input.path, () => undefined);
const fd = input.counter === undefined ? null : openSync(input.counter, 'r+');
let refused = 0;
for (let at = 1; at <= input.rings; at += 1) {
  if (fd !== null) writeSync(fd, String(at).padStart(8, '0'), 0);
  if (!bell.ring()) refused += 1;
  // Now and then the loop turns, as it does in a runner.
  if (at % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
}
console.log(JSON.stringify({ rung: input.rings, refused }));
await bell.gone;
console.log(JSON.stringify({ gone: true }));
