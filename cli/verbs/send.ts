import { randomUUIDv7 } from 'node:crypto';
import { statSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { MessageView, SendInput, UploadView } from '../../host/api/contract.ts';
import { pathStep, Unreachable } from '../api.ts';
import { withFiles } from '../file-line.ts';
import type { Context } from '../context.ts';
import { parseDuration } from '../duration.ts';
import { Failure } from '../failure.ts';
import { ensureHost } from '../start-host.ts';

export type SendOptions = { wait: boolean; timeout: string; file: string[] };

/** One request never waits longer, so that a host that hangs is noticed. */
const ONE_WAIT_MS = 60_000;
const AGAIN_MS = 100;

/** Sends, starting a host if none runs; `text` '-' is standard input. With `wait`, until it is settled. */
export async function send(context: Context, agent: string, text: string, options: SendOptions): Promise<void> {
  const timeoutMs = parseDuration(options.timeout);
  const input: SendInput = { text: checkSize(text === '-' ? await readStdin() : text), id: randomUUIDv7() };
  await ensureHost(context);
  const accepted = await post(context, agent, input, options.file);
  if (!options.wait) return show(context, accepted);
  const view = await settled(context, accepted, Date.now() + timeoutMs);
  await show(context, view.status === 'accepted' ? timedOut(view, agent, options.timeout) : view);
}

/** The id makes a repeat one message: a host that died before it answered is asked again, once it is back. */
async function post(context: Context, agent: string, input: SendInput, paths: readonly string[]): Promise<MessageView> {
  const once = async () => {
    const files = await uploadAll(context, paths);
    return context.api.call<MessageView>('POST', `/v1/agents/${pathStep(agent)}/messages`, { ...input, files });
  };
  try {
    return await once();
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
    await ensureHost(context);
    return once();
  }
}

/** Again with each try: a host that starts knows nothing of what was uploaded to the one before. */
async function uploadAll(context: Context, paths: readonly string[]): Promise<SendInput['files']> {
  const files: SendInput['files'] = [];
  for (const path of paths) {
    checkFile(path);
    const { upload } = await context.api.upload<UploadView>('/v1/uploads', path);
    files.push({ upload, name: basename(path) });
  }
  return files;
}

/** As it last stood when `deadline` came first. A host that restarts meanwhile is waited for. */
async function settled(context: Context, accepted: MessageView, deadline: number): Promise<MessageView> {
  for (let last = accepted; ;) {
    const left = Math.max(0, deadline - Date.now());
    try {
      const path = `/v1/messages/${pathStep(accepted.id)}?wait=${Math.min(left, ONE_WAIT_MS)}`;
      last = await context.api.call<MessageView>('GET', path);
      if (last.status !== 'accepted') return last;
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      await sleep(Math.min(AGAIN_MS, left));
    }
    if (Date.now() >= deadline) return last;
  }
}

/** With what the host has said of it meanwhile: why it waits, perhaps. */
const timedOut = (accepted: MessageView, agent: string, timeout: string): MessageView => ({
  ...accepted,
  status: 'timeout',
  error: `no answer within ${timeout}`,
  next: `It stays queued. See it arrive: ./halfdoor chat ${agent}`,
});

async function show(context: Context, view: MessageView): Promise<void> {
  const { id, status, error, next } = view;
  const replies = view.replies.map(({ seq, text, to, files }) => ({ seq, text, to, ...(files && { files }) }));
  const notices = view.notices.map(({ text }) => text);
  const failed = error === undefined ? {} : { error, next };
  const value = { id, status, replies, ...(notices.length > 0 && { notices }), ...failed };
  const said = [
    ...replies.map(({ text, files }) => withFiles(text, files)),
    ...(error === undefined || status === 'timeout' ? notices : []),
  ];
  context.printer.answer(value, status === 'accepted' ? `accepted: ${id}` : said.join('\n'));
  if (status === 'no-reply' && said.length === 0) context.printer.note('settled without a reply');
  await confirm(context, view);
  if (status !== 'failed' && status !== 'timeout') return;
  process.exitCode = 1;
  if (!context.printer.json) context.printer.note(`${error ?? status}\n${next ?? ''}`.trim());
}

/** What was shown here need not be shown again by the next chat. If the host is gone by now, it will be. */
async function confirm(context: Context, view: MessageView): Promise<void> {
  const ids = [...view.replies, ...view.notices].map(({ delivery }) => delivery);
  if (ids.length === 0) return;
  try {
    await context.api.call('POST', '/v1/deliveries/received', { ids });
  } catch (error) {
    if (!(error instanceof Unreachable)) throw error;
  }
}

function checkFile(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found?.isFile()) throw new Failure(`there is no file ${path}`, 'Look at its path.');
  if (found.size <= LIMITS.attachmentBytes) return;
  throw new Failure(`${path} is too large: a file has at most ${LIMITS.attachmentBytes} bytes`, 'Send a smaller one.');
}

function checkSize(text: string): string {
  if (Buffer.byteLength(text) <= LIMITS.textInBytes) return text;
  throw new Failure(`the text is too large: a message holds at most ${LIMITS.textInBytes} bytes`, 'Send it in parts.');
}

async function readStdin(): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    if (bytes > 2 * LIMITS.textInBytes) break; // too large whatever follows
  }
  return Buffer.concat(parts)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}
