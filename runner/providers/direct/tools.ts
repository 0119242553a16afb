/** What a bare model needs to do something: a shell and files. They run inside the sandbox, as the agent itself does. */
import { constants } from 'node:fs';
import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { LIMITS } from '@halfdoor/protocol/limits';
import type { Tool } from '../provider.ts';
import { runShell, type ShellOptions } from '../shell.ts';

const SHELL_MS = 120_000;
const SHELL_MAX_MS = 600_000;

export type ToolPlace = Omit<ShellOptions, 'timeoutMs'>;

export const ownTools = (place: ToolPlace): Tool[] => [shell(place), read(place), write(place)];

function schema(properties: Record<string, object>, required: string[]): Tool['inputSchema'] {
  return { type: 'object', properties, required, additionalProperties: false };
}

function text(input: Record<string, unknown>, name: string): string {
  const value = input[name];
  if (typeof value === 'string') return value;
  throw new Error(`"${name}" must be text`);
}

function whole(input: Record<string, unknown>, name: string, otherwise: number): number {
  const value = input[name] ?? otherwise;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`"${name}" must be a whole number`);
}

const shell = ({ cwd, env, signal, refusals }: ToolPlace): Tool => ({
  name: 'shell',
  description:
    'Runs a command with /bin/sh in your work folder and returns what it printed. Nothing it starts outlives it.',
  inputSchema: schema(
    {
      command: { type: 'string' },
      timeout_ms: {
        type: 'integer',
        description: `Ended after this; ${SHELL_MS} unless told, at most ${SHELL_MAX_MS}.`,
      },
    },
    ['command'],
  ),
  run: async (input) => {
    const timeoutMs = Math.min(whole(input, 'timeout_ms', SHELL_MS), SHELL_MAX_MS);
    const {
      output,
      code,
      signal: killedBy,
      cut,
    } = await runShell(text(input, 'command'), { cwd, env, signal, refusals, timeoutMs });
    const ending = code === 0 ? '' : `\n(${killedBy === null ? `exit ${code}` : `ended by ${killedBy}`})`;
    const rest = cut ? `\n(cut after ${LIMITS.toolOutputBytes} bytes)` : '';
    return `${output.trimEnd()}${rest}${ending}` || '(no output)';
  },
});

const read = ({ cwd }: ToolPlace): Tool => ({
  name: 'read',
  description: `Reads a text file, at most ${LIMITS.toolOutputBytes} bytes at a time.`,
  inputSchema: schema(
    { path: { type: 'string' }, offset: { type: 'integer', description: 'Bytes to skip; 0 unless told.' } },
    ['path'],
  ),
  run: async (input) => {
    const offset = whole(input, 'offset', 0);
    return withFile(resolve(cwd, text(input, 'path')), constants.O_RDONLY, async (file, bytes) => {
      const wanted = Buffer.alloc(LIMITS.toolOutputBytes);
      const { bytesRead } = await file.read(wanted, 0, wanted.length, offset);
      const end = offset + bytesRead;
      const more = end < bytes ? `\n(bytes ${offset} to ${end} of ${bytes}; go on with offset ${end})` : '';
      return `${wanted.subarray(0, bytesRead).toString('utf8')}${more}` || '(empty)';
    });
  },
});

const write = ({ cwd }: ToolPlace): Tool => ({
  name: 'write',
  description: 'Writes a text file, in place of what it held; makes its folders.',
  inputSchema: schema({ path: { type: 'string' }, content: { type: 'string' } }, ['path', 'content']),
  run: async (input) => {
    const path = resolve(cwd, text(input, 'path'));
    const content = text(input, 'content');
    await mkdir(dirname(path), { recursive: true });
    return withFile(path, constants.O_WRONLY | constants.O_CREAT, async (file) => {
      await file.truncate(0);
      await file.writeFile(content);
      return `wrote ${Buffer.byteLength(content)} bytes to ${path}`;
    });
  },
});

/** A pipe or a device would keep us waiting for ever: only regular files are opened. */
async function withFile<T>(
  path: string,
  flags: number,
  use: (file: FileHandle, bytes: number) => Promise<T>,
): Promise<T> {
  const file = await open(path, flags | constants.O_NONBLOCK, 0o644);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new Error(`${path} is not a regular file`);
    return await use(file, stat.size);
  } finally {
    await file.close();
  }
}
