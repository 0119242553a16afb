/**
 * Ollama as far as Halfdoor asks it: its list of models (docs/api.md of Ollama, "List Local Models") and the
 * OpenAI-compatible chat it serves beside it. Answers every message with the same words, addressed to the terminal.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Ollama = {
  port: number;
  asked: { path: string; authorization: string | undefined }[];
  close(): Promise<void>;
};

const MODELS = [
  { name: 'older:7b', modified_at: '2026-01-02T03:04:05.000Z' },
  { name: 'newer:8b', modified_at: '2026-10-02T03:04:05.000Z' },
];

export async function openOllama(models: readonly object[] = MODELS): Promise<Ollama> {
  const asked: Ollama['asked'] = [];
  const server = createServer((incoming, outgoing) => {
    const path = incoming.url ?? '';
    asked.push({ path, authorization: incoming.headers.authorization });
    if (path === '/api/tags') {
      outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ models }));
      return;
    }
    void drained(incoming).then(() => {
      outgoing.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const delta of [
        { role: 'assistant' },
        { content: '<message to="terminal">from the' },
        { content: ' local model</message>' },
      ]) {
        outgoing.write(chunk(delta, null));
      }
      outgoing.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { port: (server.address() as AddressInfo).port, asked, close };
}

const chunk = (delta: object, finish_reason: string | null): string => {
  const choices = [{ index: 0, delta, finish_reason }];
  return `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm', choices })}\n\n`;
};

async function drained(incoming: IncomingMessage): Promise<void> {
  for await (const _ of incoming);
}
