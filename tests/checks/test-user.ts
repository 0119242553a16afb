/** Who runs the tests: whoever called, but never root. */
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Failure } from '../../cli/failure.ts';
import { asUser, canRead, ensureServiceUser, type ServiceUser } from '../../cli/service-user.ts';

export type TestUser = {
  /** Before argv; nothing for root's own tests. */
  wrap(argv: readonly string[], asRoot: boolean): string[];
  /** A fresh HOME and temp folder, removed by `end`. */
  env(asRoot: boolean): NodeJS.ProcessEnv;
  end(): void;
};

const HANDED_ON = ['LANG', 'TZ', 'CI', 'HALFDOOR_BUN', 'HALFDOOR_DIST', 'DOCKER_HOST'] as const;

/** Throws `Failure` when root's checkout cannot be read by the user that the tests run as. */
export function makeTestUser(root: string, bun: string, uid: number, env: NodeJS.ProcessEnv): TestUser {
  const user: ServiceUser | null = uid === 0 ? ensureServiceUser() : null;
  if (
    user &&
    !canRead(user, [process.execPath, bun, join(root, 'tests', 'run.ts'), join(root, 'node_modules', 'typescript')])
  ) {
    throw new Failure(
      `the tests run as an ordinary user, and user halfdoor cannot read ${root}`,
      'Put the checkout where everyone may read it, for example below /opt.',
    );
  }
  const folders: string[] = [];
  const fresh = (asRoot: boolean): string => {
    const folder = mkdtempSync(join(tmpdir(), 'hd-home-'));
    if (user && !asRoot) chownSync(folder, user.uid, user.gid);
    folders.push(folder);
    return folder;
  };
  const path = [dirname(process.execPath), dirname(bun), env.PATH ?? '/usr/bin:/bin'].join(':');
  return {
    wrap: (argv, asRoot) => (user && !asRoot ? asUser(user, argv) : [...argv]),
    env: (asRoot) => {
      const home = fresh(asRoot);
      const kept = HANDED_ON.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]]));
      return {
        ...(Object.fromEntries(kept) as NodeJS.ProcessEnv),
        PATH: path,
        HOME: home,
        ...(asRoot ? {} : { TMPDIR: home }),
      };
    },
    end: () => {
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    },
  };
}
