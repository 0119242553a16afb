/** The bundled runner and reader that tests start, made once per checkout state and shared by all test files. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

const BUN_PACKAGES: Record<string, string> = {
  'linux-x64': 'bun-linux-x64',
  'linux-arm64': 'bun-linux-aarch64',
  'darwin-x64': 'bun-darwin-x64',
  'darwin-arm64': 'bun-darwin-aarch64',
};

/** The pinned Bun: what the launcher says, else where it puts it. */
export function bunPath(): string {
  const name = BUN_PACKAGES[`${process.platform}-${process.arch}`] ?? 'bun';
  return process.env.HALFDOOR_BUN ?? join(ROOT, 'runtime', 'node_modules', '@oven', name, 'bin', 'bun');
}

/** A folder with runner.js and reader.js: what the launcher bundled, else made now. */
export function distPath(): string {
  const given = process.env.HALFDOOR_DIST;
  if (given && existsSync(join(given, 'runner.js'))) return given;
  const made = join(mkdtempSync(join(tmpdir(), 'hd-dist-')), 'dist');
  execFileSync(bunPath(), [join(ROOT, 'runner', 'bundle.ts'), made], { stdio: ['ignore', 'ignore', 'inherit'] });
  return made;
}
