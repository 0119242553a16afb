/** Really tries to get out, and explains each refusal by what the system said. */
import type { Place } from './place.ts';

const NAME = 'example.com';
/** A public resolver, known to answer on this port wherever there is a network. */
const PUBLIC = { host: '1.1.1.1', port: 443 };
/** Where a local model listens on many machines. */
const LOOPBACK = { host: '127.0.0.1', port: 11434 };

/** Ends by itself within two seconds; bash opens the connection, so that no other program is needed. */
const dial = ({ host, port }: typeof PUBLIC): string =>
  `LC_ALL=C timeout 2 bash -c ': < /dev/tcp/${host}/${port}' 2>&1 && echo open`;
const ask = `timeout 2 getent hosts ${NAME} > /dev/null && echo open`;

export async function network({ shell }: Pick<Place, 'shell'>): Promise<string> {
  const [name, far, near] = await Promise.all([shell(ask), shell(dial(PUBLIC)), shell(dial(LOOPBACK))]);
  return [
    'I tried three ways out, just now:',
    `The name ${NAME}: ${reason(name, 'there is nobody to ask for names')}.`,
    `TCP to ${PUBLIC.host}:${PUBLIC.port}, a public address: ${reason(far, 'no way leads out of here')}.`,
    `TCP to ${LOOPBACK.host}:${LOOPBACK.port}: ${reason(near, 'that is the loopback of this sandbox, not of your machine')}.`,
    'A model is reached through one socket of this session, where the host adds the key that I never see.',
  ].join('\n');
}

/** `why` holds for what a closed network says; everything else is told as it came. */
function reason(said: string, why: string): string {
  if (/^open$/m.test(said)) return 'it got through, so this sandbox does not close the network';
  if (said === '(exit 2)') return `no address found, ${why}`;
  if (said.endsWith('(exit 124)')) return 'nothing answered within two seconds';
  const [, words] = /(Network is unreachable|Connection refused)\n\(exit \d+\)$/.exec(said) ?? [];
  return words === undefined ? said.replaceAll('\n', ' ') : `${words}, ${why}`;
}
