/** An agent's folder: instructions and memory. Made and synced before the row that names it; removed as a whole. */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Durable } from '@halfdoor/protocol/durable';
import type { Central } from '../db/central.ts';
import type { Home } from '../home.ts';

export const agentDir = (home: Home, agentId: string): string => join(home.agents, agentId);

export const instructionsFile = (home: Home, agentId: string): string =>
  join(agentDir(home, agentId), 'instructions.md');

type FolderDeps = { home: Home; durable: Durable };

function sync(folder: string): void {
  const fd = openSync(folder, 'r');
  fsyncSync(fd);
  closeSync(fd);
}

export function makeAgentFolder(deps: FolderDeps, id: string, instructions: string): void {
  const dir = agentDir(deps.home, id);
  deps.durable('agent-folder', () => {
    mkdirSync(join(dir, 'memory'), { recursive: true, mode: 0o700 });
    writeFileSync(instructionsFile(deps.home, id), instructions, { mode: 0o600, flush: true });
    for (const folder of [dir, deps.home.agents]) sync(folder);
  });
}

/** A run that reads them meanwhile sees the old text or the new one, whole. */
export function writeInstructions(deps: FolderDeps, id: string, instructions: string): void {
  const path = instructionsFile(deps.home, id);
  deps.durable('agent-folder', () => {
    writeFileSync(`${path}.new`, instructions, { mode: 0o600, flush: true });
    renameSync(`${path}.new`, path);
    sync(agentDir(deps.home, id));
  });
}

/** Its runs must be gone. Links are removed, never followed. */
export const removeAgentFolder = (home: Home, id: string): void =>
  rmSync(agentDir(home, id), { recursive: true, force: true });

/** At start: removes the folders of agents that were deleted, or that were never made to the end. */
export async function sweepAgentFolders(central: Central, home: Home): Promise<void> {
  const rows = await central.read.selectFrom('agents').select('id').where('deleted_at', 'is', null).execute();
  const known = new Set(rows.map((row) => row.id));
  for (const id of readdirSync(home.agents)) if (!known.has(id)) removeAgentFolder(home, id);
}
