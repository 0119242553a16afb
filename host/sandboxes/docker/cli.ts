/** The engine, asked through its own command line: a process that ends with its answer, never one per container that stays. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { SandboxAway, SandboxError } from '../sandbox.ts';

export type Answered = { code: number | null; out: string; err: string };

/** One command. Throws `SandboxAway` when no engine was reached or it took longer than `limitMs`. */
export type Docker = (args: readonly string[], limitMs: number) => Promise<Answered>;

const TAIL_BYTES = 64 * 1024;
/** Debian's own client first: what else stands in PATH may be of another engine. */
const DEBIAN = '/usr/bin/docker';
/** What the client needs to find its engine; nothing else of the host's environment. */
const HANDED_ON = ['PATH', 'HOME', 'XDG_RUNTIME_DIR', 'DOCKER_HOST', 'DOCKER_CONTEXT', 'DOCKER_CONFIG'] as const;

/** HALFDOOR_IMAGE is what containers are started from where it is not this checkout's own. */
export type DockerEnv = Readonly<
  Partial<Record<(typeof HANDED_ON)[number] | 'HALFDOOR_DOCKER' | 'HALFDOOR_IMAGE', string | undefined>>
>;

/** HALFDOOR_DOCKER names the program. */
export function openDocker(env: DockerEnv): Docker {
  const program = env.HALFDOOR_DOCKER || (existsSync(DEBIAN) ? DEBIAN : 'docker');
  const handed = Object.fromEntries(HANDED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])));
  return (args, limitMs) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, { env: handed, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
      let [out, err, late] = ['', '', false];
      child.stdout?.setEncoding('utf8').on('data', (part: string) => (out = (out + part).slice(-TAIL_BYTES)));
      child.stderr?.setEncoding('utf8').on('data', (part: string) => (err = (err + part).slice(-TAIL_BYTES)));
      const limit = setTimeout(() => (late = child.kill('SIGKILL')), limitMs);
      child.once('error', (error: NodeJS.ErrnoException) => {
        clearTimeout(limit);
        reject(whyNoClient(program, error));
      });
      child.once('close', (code) => {
        clearTimeout(limit);
        const away = late ? slow(args, limitMs) : code === 0 ? null : whyUnreached(err);
        if (away) reject(away);
        else resolve({ code, out, err });
      });
    });
}

function whyNoClient(program: string, error: NodeJS.ErrnoException): SandboxError {
  if (error.code === 'ENOENT')
    return new SandboxAway(`there is no program ${program}`, 'Install Docker: sudo apt-get install docker.io');
  return new SandboxError(`${program} did not start: ${error.message}`, 'Look at the limits of the host: ulimit -a.');
}

const slow = (args: readonly string[], limitMs: number): SandboxAway =>
  new SandboxAway(`docker ${args[0]} took longer than ${limitMs / 1000} s`, 'Look: docker info');

/** What the client says when it reaches no engine, or may not. */
function whyUnreached(said: string): SandboxAway | null {
  if (/permission denied/i.test(said) && /docker(\.sock| daemon| API)/i.test(said)) {
    return new SandboxAway(
      'the host may not use the Docker engine of this machine',
      'sudo usermod -aG docker halfdoor (the user that the host runs as), then start the host again',
    );
  }
  if (/cannot connect to the docker daemon|error during connect|is the docker daemon running/i.test(said)) {
    return new SandboxAway('the Docker engine does not answer', 'sudo systemctl start docker');
  }
  return null;
}
