import { existsSync } from 'node:fs';
import { watch } from 'node:fs/promises';
import { join } from 'node:path';

/** Resolves once there is a file of this name in `folder`. */
export async function appears(folder: string, name: string): Promise<void> {
  const changes = watch(folder);
  if (existsSync(join(folder, name))) return;
  for await (const { filename } of changes) if (filename === name) return;
}
