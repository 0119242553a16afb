/** Why a host did not start, for the person who started it: the cause in words, and the doctor as the next step. */
import { isDamage, isFull, isShut } from './db/fault.ts';
import { NewerSchema } from './db/newer.ts';
import { errorText } from './log.ts';

const DOCTOR = './halfdoor doctor';

export function whyNotStarted(error: unknown, home: string, uid: number): { what: string; next: string } {
  const said = errorText(error);
  const code = (error as NodeJS.ErrnoException | null)?.code ?? '';
  const what = (cause: string): string => `the host could not start: ${cause}`;
  if (error instanceof NewerSchema)
    return { what: what(said), next: `Update this checkout (git pull); what else is wrong: ${DOCTOR}` };
  if (isDamage(error))
    return { what: what(`a database is damaged (${said})`), next: `What can be done about it: ${DOCTOR}` };
  if (isFull(error) || code === 'ENOSPC' || code === 'EDQUOT')
    return { what: what(`the disk is full at ${home} (${said})`), next: `Make room; where: ${DOCTOR}` };
  if (isShut(error) || ['EACCES', 'EPERM', 'EROFS'].includes(code))
    return { what: what(`uid ${uid} cannot write in ${home} (${said})`), next: `Whose it is: ${DOCTOR}` };
  return { what: what(said), next: `Look for the cause: ${DOCTOR}` };
}
