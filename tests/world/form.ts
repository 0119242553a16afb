/** Messages with files as programs send them: forms made by Node's own FormData, or by hand where it makes none such. */
import { request, type ClientRequest } from 'node:http';
import type { ErrorAnswer, TakenAnswer } from '../../host/channels/http/types.ts';
import type { HttpAnswer, Program } from './program.ts';

export type Part = { name: string; content: string | Uint8Array<ArrayBuffer>; mime?: string };
type Answer = HttpAnswer<TakenAnswer & ErrorAnswer>;

const form = (message: object | null, files: readonly Part[]): FormData => {
  const data = new FormData();
  if (message !== null) data.append('message', JSON.stringify(message));
  for (const { name, content, mime = 'text/plain' } of files)
    data.append('file', new Blob([content], { type: mime }), name);
  return data;
};

export const postForm = (program: Program, key: string, message: object | null, files: readonly Part[]) =>
  postData(program, key, form(message, files));

export async function postData(program: Program, key: string, data: FormData): Promise<Answer> {
  const made = new Response(data);
  const type = made.headers.get('content-type') ?? '';
  return program.post(key, Buffer.from(await made.arrayBuffer()), { 'content-type': type });
}

export const BOUNDARY = 'boundary-of-a-form';

/** One part by hand, up to where its content begins. */
export const partHead = (name: string, filename?: string): string =>
  `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n\r\n`;

export const messagePart = (message: object): string => `${partHead('message')}${JSON.stringify(message)}\r\n`;

/** A request for a form that is written piece by piece. */
export function openForm({ base, chat, token }: Program, key: string): ClientRequest {
  const headers = {
    authorization: `Bearer ${token}`,
    'idempotency-key': key,
    'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
  };
  const asked = request(`${base}/v1/chats/${chat}/messages`, { method: 'POST', headers, agent: false });
  return asked.on('error', () => undefined);
}

/** A file as it is served, whatever it holds. */
export async function fetchFile({ base, token }: Program, url: string, method = 'GET') {
  const answer = await fetch(`${base}${url}`, { method, headers: { authorization: `Bearer ${token}` } });
  return { status: answer.status, headers: answer.headers, content: Buffer.from(await answer.arrayBuffer()) };
}
