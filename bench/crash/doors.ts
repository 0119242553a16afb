/** Where messages go in: a terminal and an http chat, each as whoever stands there sends. */
import assert from 'node:assert/strict';
import type { MessageView } from '../../host/api/contract.ts';
import type { World } from '../../tests/world/host.ts';
import { addProgram } from '../../tests/world/program.ts';

export type Door = {
  /** Of its chat, and of the agent that listens there. */
  name: string;
  /** What the agent calls this chat. */
  to: string;
  /** Sends once, with a key that makes a repeat the same message. Null: not now. Throws what a dead host makes a client throw. */
  send(text: string, key: string): Promise<string | null>;
};

export async function terminalDoor(world: World, name: string): Promise<Door> {
  await world.createAgent({ name, sandbox: 'bubblewrap' });
  return {
    name,
    to: 'terminal',
    send: async (text, id) => {
      const { status, body } = await world.call<MessageView>('POST', `/v1/agents/${name}/messages`, { text, id });
      return taken(status, body);
    },
  };
}

/** Replies are posted to `callback`; the host listens at `port`, the same for all of them. */
export async function httpDoor(world: World, name: string, port: number, callback: string): Promise<Door> {
  await world.createAgent({ name, sandbox: 'bubblewrap' });
  const program = await addProgram(world, { chat: name, agent: name, port, callback });
  return {
    name,
    to: name,
    send: async (text, key) => {
      const { status, body } = await program.post(key, { sender: 'ada', text });
      return taken(status, body);
    },
  };
}

function taken(status: number, body: { id: string }): string | null {
  if (status === 429 || status >= 500) return null;
  assert.ok(status >= 200 && status < 300, `${status} ${JSON.stringify(body)}`);
  return body.id;
}
