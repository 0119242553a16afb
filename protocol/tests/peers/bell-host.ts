/** The host's end of the bell. Rings back `rings` times at its first connection, numbering them in `counter`. */
import { openSync, writeSync } from 'node:fs';
import { listenBell } from '../../bell.ts';

const input = JSON.parse(process.argv[2] ?? '') as { path: string; rings: number; counter: string };
const fd = openSync(input.counter, 'r+');
let connected = (): void => undefined;
const first = new Promise<void>((resolve) => (connected = resolve));
const bell = await listenBell(input.path, () => connected());
console.log(JSON.stringify({ listening: true }));
await first;
for (let at = 1; at <= input.rings; at += 1) {
  writeSync(fd, String(at).padStart(8, '0'), 0);
  bell.ring();
  if (at % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
}
console.log(JSON.stringify({ rung: input.rings }));
