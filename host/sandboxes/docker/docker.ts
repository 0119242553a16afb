/**
 * A container for each run, by any engine that speaks Docker's command line and runs on this very machine with its users:
 * the processes inside are this user's own, seen in /proc, told by the same label and ended by the same signals.
 */
import { BUILD_COMMAND } from '../../image/needed.ts';
import { runLabel } from '../label.ts';
import { resetModes } from '../modes.ts';
import { checkPresent } from '../present.ts';
import { judge, probeScript } from '../probe.ts';
import {
  SandboxAway,
  SandboxError,
  type Probe,
  type RunningSandbox,
  type Sandbox,
  type SandboxSpec,
} from '../sandbox.ts';
import { endLabelled } from '../strays.ts';
import { BASE, LABELS, runArguments, wall, type Owner } from './arguments.ts';
import type { Docker } from './cli.ts';
import { contained } from './container.ts';

/** `image` is asked for at each start: it may have been built again. */
export type DockerDeps = { docker: Docker; image(): string; owner: Owner; install: string };

const START_MS = 30_000;
const ANSWER_MS = 10_000;

export function dockerSandbox(deps: DockerDeps): Sandbox {
  let [isSwept, sweeping]: [boolean, Promise<void> | null] = [false, null];
  /** Once in a host's life, by all who start meanwhile together; when it failed, with the next start again. */
  const sweepOnce = (): Promise<void> =>
    (sweeping ??= sweep(deps, [`${LABELS.install}=${deps.install}`])
      .then(() => void (isSwept = true))
      .finally(() => (sweeping = null)));
  return {
    kind: 'docker',
    baseOf: () => BASE,
    probe: () => probe(deps),
    start: async (spec) => {
      refuseEarly(deps.owner);
      checkPresent(spec);
      resetModes(spec);
      if (!isSwept) await sweepOnce();
      return start(deps, spec);
    },
  };
}

function refuseEarly({ uid }: Owner): void {
  if (process.platform !== 'linux')
    throw new SandboxError('Docker holds agents on Linux only', 'Run Halfdoor on Linux.');
  if (uid === 0)
    throw new SandboxError('the sandbox is never started by root', 'Start the host with ./halfdoor start.');
}

/** Removes what bears all of these labels: what a host before left, or a start that came to nothing. */
async function sweep({ docker }: DockerDeps, labels: readonly string[]): Promise<void> {
  const filters = labels.flatMap((it) => ['--filter', `label=${it}`]);
  const { code, out, err } = await docker(['ps', '--all', '--quiet', '--no-trunc', ...filters], ANSWER_MS);
  if (code !== 0) throw new SandboxError(`Docker did not say what is left (${err.trim()})`, 'Look: docker info');
  const ids = out.split('\n').filter(Boolean);
  if (ids.length > 0) await docker(['rm', '--force', ...ids], START_MS);
}

async function start(deps: DockerDeps, spec: SandboxSpec): Promise<RunningSandbox> {
  const image = deps.image();
  try {
    const { code, out, err } = await deps.docker(runArguments(spec, image, deps.owner), START_MS);
    if (code !== 0) throw whyRefused(image, err);
    return contained(deps.docker, out.trim(), await pidOf(deps, out.trim()));
  } catch (error) {
    await endLabelled((it) => it === runLabel(spec.label, spec.sessionId));
    const own = [`${LABELS.install}=${spec.label}`, `${LABELS.session}=${spec.sessionId}`, `${LABELS.run}=${spec.run}`];
    // Without its engine nothing of it runs; what is left is swept later.
    await sweep(deps, own).catch(() => undefined);
    throw error;
  }
}

async function pidOf({ docker }: DockerDeps, id: string): Promise<number> {
  const { code, out, err } = await docker(['inspect', '--format', '{{.State.Pid}}', id], ANSWER_MS);
  if (code !== 0) throw new SandboxError(`the container was lost at once: ${err.trim()}`, 'Look: docker info');
  return Number(out);
}

function whyRefused(image: string, said: string): SandboxError {
  if (/no such image|unable to find image/i.test(said))
    return new SandboxAway(`the image ${image} is not here`, BUILD_COMMAND);
  const words = said.trim().slice(-300) || 'docker run was ended';
  return new SandboxError(`Docker did not start the container (${words})`, 'Look: docker info');
}

/** Runs one for real and tries from inside what must be refused. */
async function probe({ docker, image, owner }: DockerDeps): Promise<Probe> {
  try {
    refuseEarly(owner);
    const name = image();
    const script = ['--entrypoint', '/usr/bin/tini', name, '--', '/bin/sh', '-c', probeScript('docker')];
    const { code, out, err } = await docker(['run', '--rm', ...wall(owner), ...script], START_MS);
    const found = code === 0 ? judge(out) : null;
    if (found === null) throw whyRefused(name, err);
    return found;
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    return { ok: false, fault: error.message, next: error.next };
  }
}
