/** The reader process (Bun): opens what agents wrote, so that the host never does. One JSON object a line in, one out. */
import { createInterface } from 'node:readline';
import { OutboundFiles, type Hello } from './outbound-files.ts';

type Request = { id: number; session: string; cursor: number } | { forget: string };

let reader: OutboundFiles | null = null;
createInterface({ input: process.stdin }).on('line', (line) => {
  if (reader === null) {
    reader = new OutboundFiles(JSON.parse(line) as Hello);
    process.stdout.write('{"ready":true}\n');
    return;
  }
  const request = JSON.parse(line) as Request;
  if ('forget' in request) reader.forget(request.forget);
  else
    process.stdout.write(`${JSON.stringify({ id: request.id, ...reader.answer(request.session, request.cursor) })}\n`);
});
