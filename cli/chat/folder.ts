/** `chat --dir`: a folder of the person's for the agent to work on, asked about once. */
import { resolve } from 'node:path';
import type { FolderView, MountView } from '../../host/api/contract.ts';
import { pathStep } from '../api.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { ask } from '../question.ts';
import { visible } from '../visible.ts';

/** A path, `false` for --no-dir, `undefined` when nothing was said. */
export type Dir = string | false | undefined;

/**
 * Gives the folder, takes it back, or leaves it as it is. Returns what the agent works on from its next run on, in words,
 * or null for no folder. Throws `Failure`: not allowed and nobody to ask, or refused by the host.
 */
export async function chooseFolder(context: Context, agent: string, dir: Dir): Promise<string | null> {
  const route = `/v1/agents/${pathStep(agent)}/folder`;
  if (dir === undefined) return inWords(await context.api.call<FolderView | null>('GET', route));
  const path = dir === false ? null : resolve(context.cwd, dir);
  if (path !== null) await allow(context, agent, path);
  return inWords(await context.api.call<FolderView | null>('POST', route, { path }));
}

/** Nobody to ask: the host refuses, and names the command that allows it. */
async function allow(context: Context, agent: string, path: string): Promise<void> {
  const mounts = await context.api.call<MountView[]>('GET', '/v1/mounts');
  if (mounts.some((it) => path === it.path || path.startsWith(`${it.path}/`))) return;
  if (!context.yes) {
    const question = visible(`May ${agent} read and change everything in ${path}? [y/N] `);
    const keyboard = { input: process.stdin, output: process.stderr };
    const answer = context.printer.json ? null : await ask(keyboard, question);
    if (answer === null) return;
    if (!/^y(es)?$/i.test(answer.trim())) {
      throw new Failure(`${agent} was not given ${path}`, `Without it: halfdoor chat ${agent}`);
    }
  }
  warn(context, await context.api.call<MountView>('POST', '/v1/mounts', { path }));
}

/** Files that may hold keys are at home in projects, so they refuse nothing; whoever gives them away should know. */
export function warn(context: Context, { path, secretFiles = [] }: MountView): void {
  if (secretFiles.length === 0) return;
  context.printer.note(`${path} holds ${secretFiles.join(', ')}: agents that are given it can read that too`);
}

function inWords(folder: FolderView | null): string | null {
  if (folder === null) return null;
  const { path, access, sharedWith } = folder;
  if (access === 'read-write') return `folder ${path}, read-write`;
  return `folder ${path}, read-only${sharedWith === null ? '' : `: ${sharedWith} writes in it`}`;
}
