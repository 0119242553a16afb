/** `bun bench/crash/bundle.ts OUTDIR`: runner.js from the runner's own main, with a gate at each of its durable steps. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

type Plugin = {
  name: string;
  setup(build: {
    onResolve(on: { filter: RegExp }, to: (it: { path: string; importer: string }) => { path: string }): void;
  }): void;
};
declare const Bun: {
  build(options: Record<string, unknown> & { plugins: Plugin[] }): Promise<{ success: boolean; logs: unknown[] }>;
  resolveSync(path: string, from: string): string;
};

const here = dirname(fileURLToPath(import.meta.url));
const runner = join(here, '..', '..', 'runner');
const STAND_INS: Readonly<Record<string, string>> = {
  '@halfdoor/protocol/durable': join(here, 'durable.ts'),
  '@halfdoor/protocol/runner': join(here, 'runner-door.ts'),
};

/** What main.ts asks for is stood in for; the stand-ins get the real one, the runner's own. */
const standIns: Plugin = {
  name: 'stand-ins',
  setup: (build) =>
    build.onResolve({ filter: /^@halfdoor\/protocol\// }, ({ path, importer }) => {
      const standIn = importer === join(runner, 'main.ts') ? STAND_INS[path] : undefined;
      return { path: standIn ?? Bun.resolveSync(path, runner) };
    }),
};

const { success, logs } = await Bun.build({
  entrypoints: [join(runner, 'main.ts')],
  outdir: process.argv[2],
  target: 'bun',
  format: 'cjs',
  minify: true,
  bytecode: true,
  naming: 'runner.[ext]',
  plugins: [standIns],
});
if (!success) throw new AggregateError(logs, 'the watched runner could not be bundled');
