/** Folders of a person in a world: made beside its home, allowed and given as the CLI does it. */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { ApiError, FolderView, MountView } from '../../host/api/contract.ts';
import type { World } from './host.ts';

export function makeFolder(world: World, name: string): string {
  const path = join(world.folder, name);
  mkdirSync(path, { recursive: true });
  return path;
}

export async function allow(world: World, path: string): Promise<MountView> {
  const { status, body } = await world.call<MountView>('POST', '/v1/mounts', { path });
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}

export async function give(world: World, agent: string, path: string | null): Promise<FolderView> {
  const { status, body } = await world.call<FolderView>('POST', `/v1/agents/${agent}/folder`, { path });
  assert.equal(status, 200, JSON.stringify(body));
  return body;
}

/** A new folder, allowed and given. */
export async function given(world: World, agent: string, name: string): Promise<string> {
  const path = makeFolder(world, name);
  await allow(world, path);
  await give(world, agent, path);
  return path;
}

/** The words of a refusal, `next` included. Fails when it was none. */
export async function refused(world: World, method: string, route: string, path: string | null): Promise<string> {
  const { status, body } = await world.call<ApiError>(method, route, { path });
  assert.ok(status >= 400 && status < 500, `${status} ${JSON.stringify(body)}`);
  assert.ok(body.error !== '' && body.next !== '');
  return `${body.error} ${body.next}`;
}
