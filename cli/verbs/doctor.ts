/** `doctor`: looks at one install, from the runtimes to the models, and says only what is wrong. */
import { runCheck, type Checked } from '../../host/doctor/check.ts';
import type { Context } from '../context.ts';
import { lookAtHome } from '../doctor/home.ts';
import { models } from '../doctor/models.ts';
import { report } from '../doctor/report.ts';
import { runtimes } from '../doctor/runtimes.ts';
import { setUp } from '../doctor/set-up.ts';
import { setUpLock } from '../doctor/set-up-lock.ts';
import { tools, TOOLS_MISSING } from '../doctor/tools.ts';

export type DoctorOptions = { fix: boolean; all: boolean };

/** Exit code 1 while findings remain. Without `fix` nothing is changed. */
export async function doctor(context: Context, { fix, all }: DoctorOptions): Promise<void> {
  const install: Checked[] = [];
  for (const check of [setUpLock, setUp, runtimes, tools]) install.push(await runCheck(check(context), fix));
  const home = withoutRepeats(install, await lookAtHome(context, fix));
  const checked = [...install, ...home, await runCheck(models(context), fix)];
  const findings = checked.flatMap((it) => it.findings);
  if (findings.some(({ fixed }) => fixed === undefined)) process.exitCode = 1;
  const notes = checked.flatMap(({ note }) => note ?? []);
  context.printer.answer({ findings, checked: checked.length, notes }, report(checked, all));
}

/** A sandbox without its programs, and a home that a half-finished install cannot look at, are told already. */
function withoutRepeats(install: readonly Checked[], home: readonly Checked[]): Checked[] {
  const open = install.flatMap((it) => it.findings).filter(({ fixed }) => fixed === undefined);
  const told = new Set([
    ...(open.some(({ id }) => id === TOOLS_MISSING) ? ['sandbox-bubblewrap'] : []),
    ...(open.some(({ severity }) => severity === 'broken') ? ['home-not-looked-at'] : []),
  ]);
  return home
    .map((it) => ({ ...it, findings: it.findings.filter(({ id }) => !told.has(id)) }))
    .filter((it) => it.fine !== '' || it.findings.length > 0);
}
