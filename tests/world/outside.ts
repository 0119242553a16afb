/** A world with a network of its own behind the host: names that lead to TLS servers of the test. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { HostsView } from '../../host/api/egress-contract.ts';
import { makeAuthority, openTls } from '../fakes/tls.ts';
import { World } from './host.ts';
import { ROOT } from './programs.ts';

const MAIN = join(ROOT, 'tests', 'world', 'host-with-outside.ts');

export type Outer = { world: World; ca: string };

/** Each name with what its server answers. One agent, maya, in a real sandbox; no rule yet. */
export async function openOutside(t: TestContext, names: Readonly<Record<string, RequestListener>>): Promise<Outer> {
  const authority = makeAuthority(['any.example', ...Object.keys(names)]);
  const ports: Record<string, number> = {};
  for (const [name, answer] of Object.entries(names)) ports[name] = (await openTls(t, authority, answer)).port;
  const world = new World({ HALFDOOR_TEST_OUTSIDE: JSON.stringify(ports) }, MAIN);
  t.after(() => world.close());
  await world.start();
  await world.createAgent({ name: 'maya', sandbox: 'bubblewrap' });
  return { world, ca: authority.ca };
}

/** The test's CA in the session's work folder; its path inside. */
export async function giveAuthority({ world, ca }: Outer): Promise<string> {
  await world.reply('maya', '@reply up');
  const { folder } = await world.session('maya');
  const work = join(folder, 'work');
  mkdirSync(work, { recursive: true });
  writeFileSync(join(work, 'ca.pem'), ca, { mode: 0o644 });
  return '/s/work/ca.pem';
}

export async function change(world: World, method: 'PUT' | 'DELETE', host: string): Promise<HostsView> {
  const { status, body } = await world.call<HostsView>(method, '/v1/agents/maya/hosts', { host });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

export const hosts = async (world: World): Promise<HostsView> =>
  (await world.call<HostsView>('GET', '/v1/agents/maya/hosts')).body;

/** What every tool is told of the test's CA, each by its own variable. */
export const trusting = (path: string): string =>
  ['CURL_CA_BUNDLE', 'GIT_SSL_CAINFO', 'NODE_EXTRA_CA_CERTS', 'PIP_CERT', 'SSL_CERT_FILE', 'npm_config_cafile']
    .map((name) => `${name}=${path}`)
    .join(' ');
