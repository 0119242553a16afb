/**
 * What may be asked of a model's provider: to think. Tools that run at the provider, servers it would call and addresses it
 * would fetch are ways out that no policy of ours sees. What is not named here is refused.
 */
import type { IncomingMessage } from 'node:http';
import type { ModelApi } from '@halfdoor/protocol/message';

const COMMON = [
  'model',
  'messages',
  'stream',
  'temperature',
  'top_p',
  'max_tokens',
  'tools',
  'tool_choice',
  'metadata',
];
const FIELDS: Record<ModelApi, ReadonlySet<string>> = {
  // https://docs.anthropic.com/en/api/messages; not mcp_servers, not container.
  anthropic: new Set([...COMMON, 'system', 'top_k', 'stop_sequences', 'thinking', 'output_config', 'service_tier']),
  // https://platform.openai.com/docs/api-reference/chat/create; not web_search_options, not plugins of others.
  openai: new Set([
    ...[...COMMON, 'max_completion_tokens', 'stream_options', 'stop', 'n', 'seed', 'user', 'response_format'],
    ...['parallel_tool_calls', 'presence_penalty', 'frequency_penalty', 'reasoning_effort', 'verbosity'],
  ]),
};
/** Types of tools that the caller runs itself. */
const OWN_TOOLS: Record<ModelApi, readonly unknown[]> = { anthropic: [undefined, 'custom'], openai: ['function'] };
const OWN_SOURCES: readonly unknown[] = ['base64', 'text', 'content'];

export type Checked = { ok: true; body: Buffer } | { ok: false; refused: string };

/** Gives the body to be sent: written anew, since a key that stands twice is read in two ways by two readers. */
export function thinkingOnly(api: ModelApi, body: Buffer): Checked {
  try {
    const it: unknown = JSON.parse(body.toString('utf8'));
    if (!isObject(it)) return { ok: false, refused: 'not a JSON object' };
    const refused = refusedIn(api, it);
    return refused === null ? { ok: true, body: Buffer.from(JSON.stringify(it)) } : { ok: false, refused };
  } catch {
    return { ok: false, refused: 'not JSON, or nested too deep' };
  }
}

function refusedIn(api: ModelApi, it: Record<string, unknown>): string | null {
  const unknown = Object.keys(it).find((name) => !FIELDS[api].has(name));
  if (unknown !== undefined) return `field ${unknown.slice(0, 40)}`;
  const tools = it.tools ?? [];
  const own = (tool: unknown): boolean => isObject(tool) && OWN_TOOLS[api].includes(tool.type);
  if (!Array.isArray(tools) || !tools.every(own)) return 'a tool that runs at the provider';
  return fetches([it.messages, it.system]) ? 'a source that the provider would fetch' : null;
}

/** Whether anything in there names an address or a file instead of holding its bytes. */
function fetches(content: unknown[]): boolean {
  for (let left = content; left.length > 0;) {
    const next: unknown[] = [];
    for (const it of left) {
      if (Array.isArray(it)) for (const inner of it) next.push(inner);
      if (!isObject(it)) continue;
      if (isFetched(it)) return true;
      // What a tool was called with is the model's own text, whatever it looks like.
      for (const [name, inner] of Object.entries(it)) if (name !== 'input') next.push(inner);
    }
    left = next;
  }
  return false;
}

function isFetched({ source, image_url: image, file }: Record<string, unknown>): boolean {
  if (isObject(source) && !OWN_SOURCES.includes(source.type)) return true;
  const url = isObject(image) ? image.url : image;
  if (url !== undefined && !(typeof url === 'string' && url.startsWith('data:'))) return true;
  return isObject(file) && file.file_data === undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The whole body; null when it is over `limit` bytes. Never settles when the caller goes away first. */
export function wholeBody(incoming: IncomingMessage, limit: number): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    incoming.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= limit) chunks.push(chunk);
      else resolve(null);
    });
    incoming.on('end', () => resolve(Buffer.concat(chunks)));
  });
}
