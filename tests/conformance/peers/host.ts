/** A host that starts one sandbox, prints its pids, and stays until it is killed: `host KIND HOME SPEC`. */
import { homeAt } from '../../../host/home.ts';
import { makeSandboxes } from '../../../host/sandboxes/index.ts';
import { TEST_BASE } from '../../world/engine.ts';
import type { SandboxKind, SandboxSpec } from '../../../host/sandboxes/sandbox.ts';

const [kind = '', home = '', spec = ''] = process.argv.slice(2);
const sandboxes = makeSandboxes({
  home: homeAt(home),
  uid: process.getuid?.() ?? 0,
  env: { ...process.env, HALFDOOR_IMAGE: TEST_BASE },
});
const running = await sandboxes[kind as SandboxKind].start(JSON.parse(spec) as SandboxSpec);
process.stdout.write(`${JSON.stringify(running.pids())}\n`);
await running.gone;
