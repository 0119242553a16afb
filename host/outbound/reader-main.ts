/** The reader process (Bun): opens what agents wrote, so that the host never does. One JSON object a line in, one out. */
import { readSync, writeSync } from 'node:fs';
import { StringDecoder } from 'node:string_decoder';
import { readPiece } from '../files/piece.ts';
import { OutboundFiles, type Hello } from './outbound-files.ts';
import type { PieceAt } from './reader.ts';

type Read = { id: number; session: string; cursor: number };
type Piece = { id: number; session: string; piece: string; at: PieceAt };
type Request = Read | Piece | { forget: string };

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

let root = '';
let reader: OutboundFiles | null = null;
for (const line of lines()) {
  if (reader === null) {
    const hello = JSON.parse(line) as Hello;
    root = hello.root;
    reader = new OutboundFiles(hello);
    say({ ready: true });
    continue;
  }
  const request = JSON.parse(line) as Request;
  if ('forget' in request) reader.forget(request.forget);
  else if ('piece' in request) say({ id: request.id, ...readPiece(root, request.session, request.piece, request.at) });
  else say({ id: request.id, ...reader.answer(request.session, request.cursor) });
}
