/** How the Bot API answers (core.telegram.org/bots/api, "Making requests"). */
import type { ServerResponse } from 'node:http';
import { readHtml } from './telegram-html.ts';

export type Done = { result: unknown } | { code: number; description: string; parameters?: object };
export const no = (code: number, description: string, parameters?: object): Done => ({ code, description, parameters });
export const bad = (description: string): Done => no(400, `Bad Request: ${description}`);

/** The text as people see it, and its tags; or why it is not taken. */
export function readText({
  text,
  parse_mode: mode,
}: Readonly<Record<string, unknown>>): { text: string; tags: string[] } | Exclude<Done, { result: unknown }> {
  const refuse = (description: string) => ({ code: 400, description: `Bad Request: ${description}` });
  if (mode !== undefined && mode !== 'HTML') return refuse('unsupported parse_mode');
  const read = mode === 'HTML' ? readHtml(String(text)) : { text: String(text), tags: [] };
  if ('fault' in read) return refuse(`can't parse entities: ${read.fault}`);
  if (read.text.trim() === '') return refuse('message text is empty');
  return read.text.length > 4096 ? refuse('message is too long') : read;
}

export function reply(outgoing: ServerResponse, done: Done): void {
  const isWell = 'result' in done;
  const { code, description, parameters } = isWell ? { code: 200, description: '', parameters: undefined } : done;
  const body = isWell ? { ok: true, result: done.result } : { ok: false, error_code: code, description, parameters };
  outgoing.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
