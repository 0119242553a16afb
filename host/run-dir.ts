/** The run dir: 0700, ours, not a link. Chosen by the host, told to the CLI through <home>/run. */
import { lstatSync, mkdirSync, writeFileSync } from 'node:fs';
import type { Home } from './home.ts';

/** Makes it if it is missing. Throws when somebody else's folder or a link stands in its place. */
export function ensureRunDir(home: Home, path: string, uid: number): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const found = lstatSync(path);
  if (!found.isDirectory() || found.uid !== uid || (found.mode & 0o077) !== 0) {
    throw new Error(`${path} is not a private folder of uid ${uid}; remove it, or set XDG_RUNTIME_DIR to one that is`);
  }
  writeFileSync(home.runFile, `${path}\n`, { mode: 0o600 });
}
