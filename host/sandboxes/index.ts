/** Every kind there is, by name. */
import { join } from 'node:path';
import type { Home } from '../home.ts';
import { neededImage } from '../image/needed.ts';
import { bubblewrapSandbox } from './bubblewrap.ts';
import { openDocker, type DockerEnv } from './docker/cli.ts';
import { dockerSandbox } from './docker/docker.ts';
import { makeEtc } from './etc.ts';
import { processSandbox } from './process.ts';
import { sandboxRoot } from './root.ts';
import type { Sandbox, SandboxKind } from './sandbox.ts';

export type SandboxesDeps = { home: Home; uid: number; env: DockerEnv };

const CHECKOUT = join(import.meta.dirname, '..', '..');

export const makeSandboxes = (deps: SandboxesDeps): Readonly<Record<SandboxKind, Sandbox>> => ({
  bubblewrap: bubblewrapSandbox({
    etc: makeEtc(join(deps.home.root, 'etc'), deps.home.label),
    root: () => sandboxRoot(deps.home),
    uid: deps.uid,
  }),
  docker: dockerSandbox({
    docker: openDocker(deps.env),
    image: () => deps.env.HALFDOOR_IMAGE || neededImage(CHECKOUT).name,
    owner: { uid: deps.uid, gid: process.getgid?.() ?? 0 },
    install: deps.home.label,
  }),
  process: processSandbox(),
});
