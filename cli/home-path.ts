import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { SERVICE_HOME } from './service-user.ts';

/** HALFDOOR_HOME if given; else ~/.halfdoor, and for root a folder of the user that the host runs as. */
export function homePath(env: { HALFDOOR_HOME?: string | undefined }, uid: number, cwd: string): string {
  if (env.HALFDOOR_HOME) return resolve(cwd, env.HALFDOOR_HOME);
  return uid === 0 ? join(SERVICE_HOME, 'home') : join(homedir(), '.halfdoor');
}
