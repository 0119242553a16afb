/** Files on their way into a world and out of it, as the CLI and the database of the host see them. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ApiError, MessageView, SendInput, SentFile, UploadView } from '../../host/api/contract.ts';
import type { World } from './host.ts';

export type Named = { name: string; content: string };

export async function upload(world: World, content: string): Promise<string> {
  const { status, body } = await world.call<UploadView>('POST', '/v1/uploads', content);
  assert.equal(status, 201, JSON.stringify(body));
  return body.upload;
}

/** A message with files, uploaded for it. */
export async function bringing(world: World, text: string, files: readonly Named[], id?: string): Promise<SendInput> {
  const brought = [];
  for (const { name, content } of files) brought.push({ upload: await upload(world, content), name });
  return { text, files: brought, ...(id !== undefined && { id }) };
}

export const post = (world: World, agent: string, input: SendInput) =>
  world.call<MessageView & ApiError>('POST', `/v1/agents/${agent}/messages`, input);

/** Sends and waits until it is settled. */
export async function bring(world: World, agent: string, text: string, files: readonly Named[]): Promise<MessageView> {
  const { status, body } = await post(world, agent, await bringing(world, text, files));
  assert.equal(status, 202, JSON.stringify(body));
  return world.settled(body.id);
}

export const filesOf = (view: MessageView): SentFile[] => view.replies.flatMap((it) => it.files ?? []);

/** Why rows of agents were not sent, oldest first. */
export function refusals(world: World): string[] {
  return rows(world, 'select refused from unsent where refused is not null order by seq').map((it) =>
    String(it.refused),
  );
}

/** From the database of the host. */
export function rows(world: World, query: string, ...values: string[]): Record<string, unknown>[] {
  const central = new DatabaseSync(join(world.home, 'central.db'), { readOnly: true });
  try {
    return central.prepare(query).all(...values);
  } finally {
    central.close();
  }
}
