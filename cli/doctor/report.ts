/** What the doctor says to people. */
import type { Checked, Finding } from '../../host/doctor/check.ts';
import { wrap, wrapStep } from '../wrap.ts';

const INDENT = '  ';

/** Findings, with `all` what is fine too, and one line of how it stands. */
export function report(checked: readonly Checked[], all: boolean): string {
  const findings = checked.flatMap((it) => it.findings);
  const fine = checked.filter((it) => it.findings.length === 0).map((it) => `ok: ${it.fine}`);
  const shown = [
    ...(all ? fine.flatMap((it) => wrap(it, INDENT)) : []),
    ...findings.flatMap(tell),
    ...checked.flatMap(({ note }) => (note === undefined ? [] : wrap(`note: ${note}`, INDENT))),
    sum(findings, checked.length),
  ];
  return shown.join('\n');
}

function tell({ severity, what, next, fixed }: Finding): string[] {
  const head = wrap(`${fixed === undefined ? severity : 'fixed'}: ${what}`, INDENT);
  const lines = fixed === undefined ? wrapStep(next) : wrap(`Done: ${fixed}.`);
  return [...head, ...lines.map((it) => INDENT + it)];
}

function sum(findings: readonly Finding[], checks: number): string {
  const left = findings.filter(({ fixed }) => fixed === undefined);
  const mended = findings.length - left.length;
  const looked = counted(checks, 'check');
  if (left.length === 0) return `Nothing is wrong${mended > 0 ? ' any more' : ''} (${looked}).`;
  const warnings = left.filter(({ severity }) => severity === 'warning').length;
  const parts = [looked, `${left.length - warnings} broken`, counted(warnings, 'warning')];
  return `${[...parts, ...(mended > 0 ? [`${mended} fixed`] : [])].join(', ')}.`;
}

const counted = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`;
