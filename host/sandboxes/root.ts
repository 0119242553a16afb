/** What programs agents behind bubblewrap have: those of the image that was unpacked into the home, else the machine's own. */
import { lstatSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Home } from '../home.ts';
import { SandboxError } from './sandbox.ts';

/** Absolute path of the root whose /usr they get. Throws `SandboxError` when one was unpacked and is not there any more. */
export function sandboxRoot(home: Home): string {
  const current = join(home.image, 'current');
  if (!lstatSync(current, { throwIfNoEntry: false })) return '/';
  if (statSync(join(current, 'usr'), { throwIfNoEntry: false })?.isDirectory()) return realpathSync(current);
  throw new SandboxError(
    `the image that was unpacked into ${home.image} is not there any more`,
    './halfdoor image unpack, or without it: ./halfdoor image unpack --remove',
  );
}
