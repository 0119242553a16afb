/** Node as this runs on it, and Bun as agents and the reader are started with it. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Check, Found } from '../../host/doctor/check.ts';
import type { Context } from '../context.ts';
import { finishSetUp, readJson } from './set-up.ts';

const NODE = { major: 24, minor: 21 };
const RUN_MS = 20_000;

export type RuntimesSeen = {
  node: string;
  bunPath: string;
  bunThere: boolean;
  /** What it says of its version; null when it does not run. */
  bun: string | null;
  /** The one version that is used. */
  pinned: string;
};

export const runtimes = (context: Context): Check => ({
  name: 'Node and Bun',
  look: () => {
    const seen = see(context);
    const mend = () => finishSetUp(context, ['runtime/node_modules/.halfdoor']);
    const found = judgeRuntimes(seen).map((it) => (it.id === 'node-old' ? it : { ...it, mend }));
    return { fine: `Node ${seen.node} and Bun ${seen.bun ?? ''}`, found };
  },
});

function see({ root, env }: Context): RuntimesSeen {
  const { optionalDependencies } = readJson(join(root, 'runtime', 'package.json')) as {
    optionalDependencies: Record<string, string>;
  };
  const bunPath = env.HALFDOOR_BUN ?? '';
  const bunThere = existsSync(bunPath);
  const ran = bunThere ? spawnSync(bunPath, ['--version'], { encoding: 'utf8', timeout: RUN_MS }) : null;
  return {
    node: process.versions.node,
    bunPath,
    bunThere,
    bun: ran?.status === 0 ? ran.stdout.trim() : null,
    pinned: optionalDependencies['@oven/bun-linux-x64'] ?? '',
  };
}

export function judgeRuntimes({ node, bunPath, bunThere, bun, pinned }: RuntimesSeen): Found[] {
  const [major = 0, minor = 0] = node.split('.').map(Number);
  const found: Found[] = [];
  if (major < NODE.major || (major === NODE.major && minor < NODE.minor)) {
    const what = `This runs on Node ${node}; Halfdoor needs ${NODE.major}.${NODE.minor} or newer, and brings it when started by its launcher.`;
    found.push({ id: 'node-old', severity: 'broken', what, next: './halfdoor doctor' });
  }
  const next = './halfdoor doctor --fix';
  if (!bunThere) {
    const what = `Bun is missing at ${bunPath || 'HALFDOOR_BUN'}: no agent and no reader can be started.`;
    found.push({ id: 'bun-missing', severity: 'broken', what, next });
  } else if (bun === null) {
    const what = `Bun does not run here: ${bunPath}.`;
    found.push({ id: 'bun-broken', severity: 'broken', what, next });
  } else if (bun !== pinned) {
    const what = `Bun is ${bun}, and what agents run was tried with ${pinned} only.`;
    found.push({ id: 'bun-other', severity: 'broken', what, next });
  }
  return found;
}
