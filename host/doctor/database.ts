/** Whether the central database is sound and of this version. */
import { newerText } from '../db/newer.ts';
import type { CentralLook } from '../db/inspect.ts';
import type { Check, Found } from './check.ts';
import type { Ground } from './ground.ts';

export const database = ({ home, central, root }: Ground): Check => ({
  name: 'the central database',
  look: () => ({
    fine: central.state === 'missing' ? 'no central database yet' : 'the central database is sound and of this version',
    found: judgeDatabase(home.central, central, root),
  }),
});

export function judgeDatabase(path: string, it: CentralLook, root: string): Found[] {
  switch (it.state) {
    case 'missing':
    case 'sound':
    case 'older': // its own host brings it on at the next start
      return [];
    case 'damaged': {
      const what = `The central database ${path} is damaged (${it.why}). Stop the host and put a backup in its place; without one, this saves what can still be read.`;
      const next = `sqlite3 ${path} .recover | sqlite3 ${path}.new`;
      return [{ id: 'database-damaged', severity: 'broken', what, next }];
    }
    case 'newer': {
      const what = `${newerText(path, it.migrations, it.known)}. Update this checkout, or give HALFDOOR_HOME as another folder.`;
      return [{ id: 'database-newer', severity: 'broken', what, next: `git -C ${root} pull` }];
    }
    case 'unreadable':
      return [
        {
          id: 'database-unreadable',
          severity: 'broken',
          what: `The central database ${path} cannot be opened (${it.why}).`,
          next: `ls -l ${path}*`,
        },
      ];
  }
}
