/** The folder of the sockets: what stands in its place keeps a host from starting. */
import { chmodSync, lstatSync } from 'node:fs';
import { runDirFor } from '../home.ts';
import type { Check, Found } from './check.ts';
import type { Ground } from './ground.ts';
import { nameOf } from './home-folder.ts';

const OTHERS = 0o077;

export const runDir = ({ home, env, temp, uid }: Ground): Check => ({
  name: 'the folder of the sockets',
  look: () => {
    const path = runDirFor(home, env, temp, uid);
    return { fine: `sockets go to ${path}`, found: judge(path, uid) };
  },
});

function judge(path: string, uid: number): Found[] {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return [];
  if (!stats.isDirectory() || stats.uid !== uid) {
    const what = `${path}, where the sockets go, is not a folder of ${nameOf(uid)}: no host can start.`;
    return [{ id: 'run-dir-not-ours', severity: 'broken', what, next: `sudo mv ${path} ${path}.old` }];
  }
  if ((stats.mode & OTHERS) === 0) return [];
  const what = `Other users can look into ${path}, where the sockets are: no host starts like this.`;
  const mend = (): string => {
    chmodSync(path, 0o700);
    return `set the mode of ${path} to 0700`;
  };
  return [{ id: 'run-dir-open', severity: 'broken', what, next: `chmod 700 ${path}`, mend }];
}
