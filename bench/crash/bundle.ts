/** `bun bench/crash/bundle.ts OUTDIR`: runner.js from the runner's own main, with a gate at each of its durable steps. */
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

type Plugin = {
  name: string;
  setup(build: {
    onResolve(on: { filter: RegExp }, to: (it: { path: string; importer: string }) => { path: string }): void;
  }): void;
};
declare const Bun: {
  build(options: Record<string, unknown> & { plugins: Plugin[] }): Promise<{ success: boolean; logs: unknown[] }>;
};

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const main = join(root, 'runner', 'main.ts');
const STAND_INS: Readonly<Record<string, string>> = {
  '@halfdoor/protocol/durable': join(here, 'durable.ts'),
  '@halfdoor/protocol/runner': join(here, 'runner-door.ts'),
};

/** What main.ts asks for is stood in for; the stand-ins, and everybody else, get the real one of this checkout. */
const standIns: Plugin = {
  name: 'stand-ins',
  setup: (build) =>
    build.onResolve({ filter: /^@halfdoor\/protocol\// }, ({ path, importer }) => {
      const standIn = importer === main ? STAND_INS[path] : undefined;
      return { path: standIn ?? join(root, 'protocol', `${basename(path)}.ts`) };
    }),
};

const { success, logs } = await Bun.build({
  entrypoints: [main],
  outdir: process.argv[2],
  target: 'bun',
  format: 'cjs',
  minify: true,
  bytecode: true,
  naming: 'runner.[ext]',
  plugins: [standIns],
});
if (!success) throw new AggregateError(logs, 'the watched runner could not be bundled');
