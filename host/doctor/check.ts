/** What a check of `halfdoor doctor` is, on both sides: the CLI looks at the install, a process of the host's user at the home. */

/** `what`: a sentence or two. `next` ends with a command. `fixed`: what was done about it, seen to have helped. */
export type Finding = { id: string; severity: 'broken' | 'warning'; what: string; next: string; fixed?: string };

/** `mend` is there only where mending is safe; it says what it did, and throws when it could not. */
export type Found = Finding & { mend?: () => string | Promise<string> };

/** `fine`: in a few words what is well when nothing was found. `note`: what could not be asked, and how it could. */
export type Look = { fine: string; found: Found[]; note?: string };

/** May throw: that it could not look is then a finding of its own. */
export type Check = { name: string; look(): Look | Promise<Look> };

export type Checked = { fine: string; findings: Finding[]; note?: string };

/** Looks; with `fix` mends what can be mended and looks again, so that `fixed` stands only where the finding is gone. */
export async function runCheck(check: Check, fix: boolean): Promise<Checked> {
  try {
    const { fine, found, note } = await check.look();
    const said = note === undefined ? { fine } : { fine, note };
    const done = fix ? await mendAll(found) : new Map<string, string>();
    if (done.size === 0) return { ...said, findings: found.map(plain) };
    const still = (await check.look()).found;
    const gone = found.filter((it) => done.has(it.id) && !still.some(({ id }) => id === it.id));
    return {
      ...said,
      findings: [...gone.map((it) => ({ ...plain(it), fixed: done.get(it.id) ?? '' })), ...still.map(plain)],
    };
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const what = `This could not be looked at: ${check.name} (${said}).`;
    return { fine: '', findings: [{ id: 'not-looked-at', severity: 'warning', what, next: './halfdoor status' }] };
  }
}

/** What was done, by finding. One that could not be mended stays as it was found. */
async function mendAll(found: readonly Found[]): Promise<Map<string, string>> {
  const done = new Map<string, string>();
  for (const { id, mend } of found) {
    try {
      if (mend) done.set(id, await mend());
    } catch {
      // It is still there at the second look, and shown with its next step.
    }
  }
  return done;
}

const plain = ({ id, severity, what, next }: Found): Finding => ({ id, severity, what, next });
