/** The engine that builds and keeps images, asked through its own command line in this process's place in the world. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../failure.ts';

export type Answered = { code: number | null; out: string; err: string };

export type Engine = {
  /** stdout of one short command. Throws `Failure` when it could not be done. */
  ask(args: readonly string[]): Promise<string>;
  /** The same without a verdict on its exit code; throws `Failure` only when no engine was reached. */
  tryTo(args: readonly string[]): Promise<Answered>;
  /** stdout of one into stdin of another program, which is no engine's. Throws `Failure` with the words of the one that failed. */
  pipe(args: readonly string[], argv: readonly string[], env: NodeJS.ProcessEnv): Promise<void>;
  /** A long one in the checkout: every line of it as it comes; its exit code. */
  follow(args: readonly string[], cwd: string, onLine: (line: string) => void): Promise<number | null>;
};

/** Debian's own client first: another one in PATH may come without the part that builds. */
const DEBIAN = '/usr/bin/docker';

/** HALFDOOR_DOCKER names the program. */
export function openEngine(env: NodeJS.ProcessEnv): Engine {
  const program = env.HALFDOOR_DOCKER || (existsSync(DEBIAN) ? DEBIAN : 'docker');
  // Engines before 23 build in the old way unless told, which knows no cache mounts.
  const options = { env: { ...env, DOCKER_BUILDKIT: '1' } };
  const tryTo = async (args: readonly string[]): Promise<Answered> => {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (part: string) => (out += part));
    child.stderr.setEncoding('utf8').on('data', (part: string) => (err += part));
    const code = await ended(child, program);
    const unreached = code === 0 ? null : whyUnreached(err);
    if (unreached) throw unreached;
    return { code, out, err };
  };
  return {
    tryTo,
    ask: async (args) => {
      const { code, out, err } = await tryTo(args);
      if (code === 0) return out;
      throw new Failure(`docker ${args[0]} ${args[1]} failed: ${err.trim()}`, 'Look: docker info');
    },
    pipe: async (args, argv, env) => {
      const from = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
      const [file = '', ...rest] = argv;
      const into = spawn(file, rest, { cwd: '/', env, stdio: ['pipe', 'ignore', 'pipe'] });
      const words = [from, into].map((it) => text(it.stderr));
      // That one of the two ended early is seen by its exit code.
      const piped = pipeline(from.stdout, into.stdin).catch(() => undefined);
      const codes = await Promise.all([ended(from, program), ended(into, file)]);
      await piped;
      const said = await Promise.all(words);
      // Whoever writes to one that ended is no fault of its own.
      const failed = codes.findIndex((code, at) => code !== 0 && !/broken pipe/i.test(said[at] ?? ''));
      if (failed !== -1) throw new Failure((said[failed] ?? '').trim(), 'Mend what it names, then run it again.');
    },
    follow: async (args, cwd, onLine) => {
      const child = spawn(program, args, { ...options, cwd, stdio: ['ignore', 'pipe', 'pipe'] });
      const read = [child.stdout, child.stderr].map(async (input) => {
        for await (const line of createInterface({ input })) onLine(line);
      });
      const code = await ended(child, program);
      await Promise.all(read);
      return code;
    },
  };
}

function ended(child: ReturnType<typeof spawn>, program: string): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once('error', () =>
      reject(new Failure(`there is no program ${program}`, 'Install Docker: sudo apt-get install docker.io')),
    );
    child.once('close', resolve);
  });
}

/** What the client says when it reaches no engine, or may not. */
export function whyUnreached(said: string): Failure | null {
  if (/permission denied/i.test(said) && /docker(\.sock| daemon| API)/i.test(said)) {
    return new Failure(
      'you may not use the Docker engine of this machine',
      'Run it as root. (Who is in group docker may too, and is as mighty as root.)',
    );
  }
  if (/cannot connect to the docker daemon|error during connect|is the docker daemon running/i.test(said)) {
    return new Failure('the Docker engine does not answer', 'Start it: sudo systemctl start docker');
  }
  return null;
}
