/** The Docker engine that tests use: the one this machine has, with the image of a bare Debian that they build from. */
import { execFileSync } from 'node:child_process';

/** Made by .ci/engine. */
export const TEST_BASE = 'halfdoor-test-base';

/** stdout of one command; throws with its stderr. */
export const docker = (...words: readonly string[]): string =>
  execFileSync('/usr/bin/docker', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

/** What a host needs to find the engine, and to take the image of the tests. */
export const dockerEnv = (): Record<string, string> => ({
  HALFDOOR_IMAGE: TEST_BASE,
  ...(process.env.DOCKER_HOST !== undefined && { DOCKER_HOST: process.env.DOCKER_HOST }),
});
