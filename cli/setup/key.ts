/** The key of a model endpoint: where the host has it from, and whether it is kept. */
import type { SecretView } from '../../host/api/contract.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import type { Asker } from './asker.ts';
import { left } from './left.ts';

export const listSecrets = ({ api }: Context): Promise<SecretView[]> => api.call('GET', '/v1/secrets');

const keep = ({ api }: Context, name: string, value: string): Promise<SecretView> =>
  api.call('PUT', `/v1/secrets/${pathStep(name)}`, { value });

/**
 * Sees that the running host has the key `name`. One in our environment is offered to be kept, encrypted, so that it is
 * there when the host is started from another shell. Throws `Failure` when the host would have none.
 */
export async function haveKey(context: Context, asker: Asker, name: string): Promise<void> {
  const found = (await listSecrets(context)).find((it) => it.name === name);
  const value = context.env[name]?.trim();
  if (value && (await mayKeep(context, asker, name, found?.from === 'kept'))) {
    await keep(context, name, value);
    asker.say(`Kept ${name}, encrypted. Forget it: ./halfdoor secrets remove ${name}`);
    return;
  }
  if (found) return;
  if (value) {
    throw new Failure(
      `${name} is set here, but the host was started without it`,
      `Keep it for the host: printenv ${name} | ./halfdoor secrets set ${name}`,
    );
  }
  throw new Failure(`the host has no key named ${name}`, `Give it one: ./halfdoor secrets set ${name}`);
}

async function mayKeep(context: Context, asker: Asker, name: string, isKept: boolean): Promise<boolean> {
  const ask = isKept
    ? `${name} is set here, and one is kept already. Put this one in its place?`
    : `${name} is set. Keep it, encrypted, in ${context.home}, so that the host has it after a restart too?`;
  // What is kept stays, unless somebody says otherwise.
  return (await asker.confirm({ id: 'keep', ask, otherwise: !isKept })) ?? left();
}

/** One that is typed. Null when nothing was. */
export async function typeKey(context: Context, asker: Asker, name: string): Promise<boolean> {
  const typed = await asker.secret({ id: name, ask: `Key, kept encrypted as ${name}; nothing for none` });
  if (typed === null) return asker.person ? left() : false;
  if (typed.trim() === '') return false;
  await keep(context, name, typed.trim());
  return true;
}
