/** Whether agents can be held here: the smallest sandbox, started for real as a host does at its start. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bubblewrapSandbox } from '../sandboxes/bubblewrap.ts';
import { makeEtc } from '../sandboxes/etc.ts';
import { sandboxRoot } from '../sandboxes/root.ts';
import { SandboxError } from '../sandboxes/sandbox.ts';
import type { Home } from '../home.ts';
import type { Check, Found } from './check.ts';
import type { Ground } from './ground.ts';

export const sandboxes = ({ home, temp, uid, central }: Pick<Ground, 'home' | 'temp' | 'uid' | 'central'>): Check => ({
  name: 'the sandboxes',
  look: async () => {
    const fine = 'bubblewrap holds: a sandbox was started and could write nothing it must not';
    const folder = mkdtempSync(join(temp, 'halfdoor-doctor-'));
    try {
      const etc = makeEtc(join(folder, 'etc'), home.label);
      const probe = await bubblewrapSandbox({ etc, root: () => '/', uid }).probe();
      if (probe.ok) return { fine, found: imageGone(home) };
      // With agents in other sandboxes only, nobody waits for this one.
      const used =
        central.state !== 'sound' || central.sandboxes.length === 0 || central.sandboxes.includes('bubblewrap');
      const what = `Sandbox bubblewrap cannot run here: ${probe.fault}.`;
      const found: Found = { id: 'sandbox-bubblewrap', severity: used ? 'broken' : 'warning', what, next: probe.next };
      return { fine, found: [found] };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
});

/** That one was unpacked and is not there any more, which holds up every start in bubblewrap. */
function imageGone(home: Home): Found[] {
  try {
    sandboxRoot(home);
    return [];
  } catch (error) {
    if (!(error instanceof SandboxError)) return []; // a home that is shut to its host is told by the check of the home
    const what = `No agent can be started in bubblewrap: ${error.message}.`;
    return [{ id: 'sandbox-image-gone', severity: 'broken', what, next: error.next }];
  }
}
