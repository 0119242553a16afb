/** The reader process (Bun): opens what agents wrote, so that the host never does. One JSON object a line in, one out. */
import { readSync, writeSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { OutboundFiles, type Hello } from './outbound-files.ts';

type Request = { id: number; session: string; cursor: number } | { forget: string };

const CHUNK_BYTES = 64 * 1024;

/** Lines of standard input, until it ends. Blocks: there is nothing else to do, and an event loop between costs more. */
function* lines(): Generator<string> {
  const chunk = Buffer.alloc(CHUNK_BYTES);
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for (let got = readSync(0, chunk); got > 0; got = readSync(0, chunk)) {
    const [first = '', ...more] = (rest + decoder.write(chunk.subarray(0, got))).split('\n');
    rest = first;
    for (const next of more) {
      yield rest;
      rest = next;
    }
  }
}

function say(it: object): void {
  const line = Buffer.from(`${JSON.stringify(it)}\n`);
  for (let at = 0; at < line.length;) at += writeSync(1, line, at);
}

let reader: OutboundFiles | null = null;
for (const line of lines()) {
  if (reader === null) {
    reader = new OutboundFiles(JSON.parse(line) as Hello);
    say({ ready: true });
    continue;
  }
  const request = JSON.parse(line) as Request;
  if ('forget' in request) reader.forget(request.forget);
  else say({ id: request.id, ...reader.answer(request.session, request.cursor) });
}
