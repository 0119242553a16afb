/** Floods a bell: bytes without end on every connection it gets, and a new one for each that ends. Ends after `ms`. */
import { connect } from 'node:net';

const input = JSON.parse(process.argv[2] ?? '') as { path: string; ms: number; connections: number };
const until = Date.now() + input.ms;
const chunk = Buffer.alloc(16 * 1024, 1);
let bytes = 0;
let connections = 0;
function open(): void {
  if (Date.now() >= until) return;
  const socket = connect(input.path);
  const pour = (): void => {
    while (Date.now() < until && !socket.destroyed) {
      bytes += chunk.length;
      if (!socket.write(chunk)) return;
    }
    socket.destroy();
  };
  socket.on('connect', () => {
    connections += 1;
    pour();
  });
  socket.on('drain', pour);
  socket.on('error', () => undefined);
  socket.on('close', () => setImmediate(open));
}
for (let at = 0; at < input.connections; at += 1) open();
setTimeout(() => {
  console.log(JSON.stringify({ bytes, connections }));
  process.exit(0);
}, input.ms);
