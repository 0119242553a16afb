/** Entries of runtime/lock whose process is gone: left by a set-up that was killed. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Check } from '../../host/doctor/check.ts';
import type { Context } from '../context.ts';
import { isAlive } from '../start-host.ts';

export const setUpLock = ({ root }: Context): Check => ({
  name: 'the lock of setting up',
  look: () => {
    const folder = join(root, 'runtime', 'lock');
    const stale = (existsSync(folder) ? readdirSync(folder) : []).filter((name) => !isAlive(Number.parseInt(name, 10)));
    const fine = 'no set-up was cut off';
    if (stale.length === 0) return { fine, found: [] };
    const what = `A set-up was killed half-way and left ${stale.join(', ')} in ${folder}.`;
    const mend = (): string => {
      for (const name of stale) rmSync(join(folder, name), { recursive: true, force: true });
      return `removed ${stale.join(', ')} from ${folder}`;
    };
    return {
      fine,
      found: [{ id: 'set-up-lock-stale', severity: 'warning', what, next: './halfdoor doctor --fix', mend }],
    };
  },
});
