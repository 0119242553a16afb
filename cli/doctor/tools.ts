/** The programs that sandboxes are made with. Where they lie is where the host looks for them. */
import type { Check, Found } from '../../host/doctor/check.ts';
import type { Context } from '../context.ts';
import { install, missingTools } from '../sandbox-tools.ts';

export const TOOLS_MISSING = 'sandbox-tools-missing';

export const tools = (context: Context): Check => ({
  name: 'the programs that sandboxes are made with',
  look: () => {
    const missing = process.platform === 'linux' ? missingTools('', ['/usr/bin']) : [];
    const found = judgeTools(missing, context.uid);
    const mend = (): string => {
      install(context, missing);
      return `installed ${missing.join(' and ')}`;
    };
    const may = context.uid === 0 && context.yes;
    return { fine: 'bubblewrap, tini and prlimit are there', found: found.map((it) => (may ? { ...it, mend } : it)) };
  },
});

export function judgeTools(missing: readonly string[], uid: number): Found[] {
  if (missing.length === 0) return [];
  const what = `Not installed: ${missing.join(' and ')}. Without it no agent can be held in a sandbox.`;
  const next = `${uid === 0 ? '' : 'sudo '}apt-get install ${missing.join(' ')}`;
  return [{ id: TOOLS_MISSING, severity: 'broken', what, next }];
}
