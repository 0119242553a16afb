/**
 * `bun runner/bundle.ts OUTDIR`: runner.js and reader.js, each one file with bytecode of this very Bun. Written beside
 * and moved into place, so that a bundle is whole or absent.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const ENTRIES = { runner: join(root, 'runner', 'main.ts'), reader: join(root, 'host', 'outbound', 'reader-main.ts') };

async function bundle(outdir: string): Promise<void> {
  const making = `${outdir}.making-${process.pid}`;
  mkdirSync(making, { recursive: true });
  for (const [name, entry] of Object.entries(ENTRIES)) {
    const naming = `${name}.[ext]`;
    const result = await Bun.build({
      entrypoints: [entry],
      outdir: making,
      target: 'bun',
      format: 'cjs',
      minify: true,
      bytecode: true,
      naming,
    });
    if (!result.success) throw new AggregateError(result.logs, `${name} could not be bundled`);
  }
  rmSync(outdir, { recursive: true, force: true });
  renameSync(making, outdir);
}

const outdir = process.argv[2];
if (!outdir) {
  process.stderr.write('usage: bun runner/bundle.ts OUTDIR\n');
  process.exit(2);
}
await bundle(outdir);
