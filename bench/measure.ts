/** Figures, and the floor they are held against. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Agent, request } from 'node:http';
import { World, type Chat } from '../tests/world/host.ts';

export const percentile = (values: readonly number[], share: number): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return round(sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN);
};

export const round = (value: number): number => Math.round(value * 100) / 100;

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Two commits one after the other, one in each kind of file that a message passes: WAL and PERSIST, both FULL. */
export function makeFloor(): { measure(): number; close(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'hd-floor-'));
  const files = ['wal', 'persist'].map((mode) => {
    const db = new DatabaseSync(join(folder, `${mode}.db`));
    db.exec(
      `pragma journal_mode = ${mode}; pragma synchronous = full; create table t (id integer primary key, text text)`,
    );
    return { db, insert: db.prepare('insert into t (text) values (?)') };
  });
  return {
    measure: () => {
      const began = performance.now();
      for (const { db, insert } of files) {
        db.exec('begin immediate');
        insert.run('a message of ordinary length, about as long as people write');
        db.exec('commit');
      }
      return performance.now() - began;
    },
    close: () => {
      for (const { db } of files) db.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Runs `body` in a host of its own that goes away after it. */
export async function inWorld<T>(body: (world: World) => Promise<T>, env: Record<string, string> = {}): Promise<T> {
  const world = new World(env);
  await world.start();
  try {
    return await body(world);
  } finally {
    await world.close();
  }
}

/** A client that keeps its connections, as a channel would. */
export class Client {
  readonly #world: World;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(world: World) {
    this.#world = world;
  }

  post(path: string, body: object): Promise<{ id?: string }> {
    const payload = JSON.stringify(body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(payload) };
    return new Promise((resolve, reject) => {
      const options = { socketPath: this.#world.socketPath, path, method: 'POST', agent: this.#agent, headers };
      const asked = request(options, (answer) => {
        let text = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        answer.on('end', () => resolve(JSON.parse(text) as { id?: string }));
      });
      asked.on('error', reject);
      asked.end(payload);
    });
  }

  send(agent: string, text: string): Promise<{ id?: string }> {
    return this.post(`/v1/agents/${agent}/messages`, { text });
  }

  close(): void {
    this.#agent.destroy();
  }
}

/** Milliseconds from handing the message over to seeing its reply in the connected terminal. */
export async function roundTrip(client: Client, chat: Chat, agent: string, text: string): Promise<number> {
  const seen = chat.texts.length;
  const began = performance.now();
  const sent = client.send(agent, `@reply ${text}`);
  await chat.until(() => (chat.texts.length > seen ? true : undefined));
  const took = performance.now() - began;
  await sent;
  return took;
}
