import type { SecretView } from '../../host/api/contract.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { table } from '../printer.ts';
import { askHidden } from '../question.ts';
import { withHost } from '../reach.ts';
import { ensureHost } from '../start-host.ts';

/** As the host has it; looked at here so that a value in the place of the name goes nowhere. */
const NAME = /^[A-Z][A-Z0-9_]{0,63}$/;
const INPUT_BYTES = 64 * 1024;

/** The value comes from a pipe or from a prompt that does not show it; `more` counts what stood behind the name. */
export async function setSecret(context: Context, name: string, more: number): Promise<void> {
  checkName(name);
  if (more > 0) throw neverOnTheLine(`./halfdoor secrets set ${name}`);
  const value = await readValue(name);
  await ensureHost(context);
  const view = await withHost(context, () =>
    context.api.call<SecretView>('PUT', `/v1/secrets/${pathStep(name)}`, { value }),
  );
  const users = view.usedBy.length === 0 ? '' : `; given for ${view.usedBy.join(', ')} from the next request on`;
  context.printer.answer(view, `kept ${view.name}${users}`);
}

export const neverOnTheLine = (command: string): Failure =>
  new Failure(
    'a value is never taken from the command line: every process of this machine can read it there, and the shell keeps it',
    `Pipe it in, or type it when asked: ${command}`,
    2,
  );

function checkName(name: string): void {
  if (NAME.test(name)) return;
  throw new Failure(
    "a secret's name is 1 to 64 capital letters, digits and underscores, beginning with a letter",
    'Choose a name like OPENAI_API_KEY. The value goes in by a pipe or when asked, never in the name.',
    2,
  );
}

/** By a pipe, or typed and not shown. */
export async function readValue(name: string): Promise<string> {
  const typed = await askHidden({ input: process.stdin, output: process.stderr }, `${name} (not shown): `);
  const value = typed ?? (await readPiped());
  if (value !== '') return value;
  throw new Failure('no value was given', 'Pipe it in, or type it when asked. Nothing was changed.', 2);
}

async function readPiped(): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    parts.push(part);
    bytes += part.length;
    if (bytes > INPUT_BYTES) break; // the host refuses it whatever follows
  }
  return Buffer.concat(parts)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

export async function listSecrets(context: Context): Promise<void> {
  const secrets = await withHost(context, () => context.api.call<SecretView[]>('GET', '/v1/secrets'));
  const rows = secrets.map((it) => [it.name, it.from, it.usedBy.join(', ') || '-', it.updatedAt ?? '-']);
  const none = 'no secrets yet; keep one: ./halfdoor secrets set OPENAI_API_KEY';
  context.printer.answer(
    secrets,
    rows.length === 0 ? none : table([['NAME', 'FROM', 'GIVEN FOR', 'CHANGED'], ...rows]),
  );
}

export async function removeSecret(context: Context, name: string): Promise<void> {
  checkName(name);
  const before = await withHost(context, () => context.api.call<SecretView[]>('GET', '/v1/secrets'));
  const removed = await withHost(context, () => context.api.call('DELETE', `/v1/secrets/${pathStep(name)}`));
  context.printer.answer(removed, `removed ${name}`);
  const users = before.find((it) => it.name === name)?.usedBy ?? [];
  if (users.length > 0) context.printer.note(`Without it ${users.join(', ')} cannot be answered by its model.`);
}
