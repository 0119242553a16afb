/** What of BuildKit's plain output (docker build --progress=plain) a person wants to see, and what went wrong in it. */

/** Steps of image/install.sh. */
const STEPS: Readonly<Record<string, string>> = {
  system: 'Packages of Debian',
  bun: 'Bun',
  node: 'Node and npm',
  more: 'More of Debian',
  claude: 'claude',
  codex: 'codex',
  opencode: 'opencode',
  gemini: 'gemini',
  agent_browser: 'agent-browser',
  vercel: 'vercel',
  finish: 'Finishing',
};
/** How often a step that says much is quoted. */
const QUOTE_EVERY_S = 5;
const KEPT_LINES = 400;
const SHOWN_LINES = 15;

export class BuildProgress {
  readonly #running = new Map<string, { name: string; quotedS: number }>();
  #lines: string[] = [];

  /** What to show of the next line; null when nothing. */
  take(line: string): string | null {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines = this.#lines.slice(-KEPT_LINES / 2);
    const [, id = '', rest = ''] = /^#(\d+) (.*)$/.exec(line) ?? [];
    const name =
      rest === 'exporting to image' ? 'Writing the image' : STEPS[/install\.sh (\w+)$/.exec(rest)?.[1] ?? ''];
    if (name === undefined) return this.#goesOn(id, rest);
    if (!this.#running.has(id)) this.#running.set(id, { name, quotedS: 0 });
    return null;
  }

  /** Steps that were done before, or have nothing to do, are not worth a line. */
  #goesOn(id: string, rest: string): string | null {
    const step = this.#running.get(id);
    if (!step) return null;
    const done = /^DONE (\d+)/.exec(rest)?.[1] ?? '0';
    if (done !== '0') return `${step.name}: ${done} s`;
    const [, seconds = '0', said = ''] = /^(\d+)\.\d+ (.*)$/.exec(rest) ?? [];
    if (said.trim() === '' || Number(seconds) < step.quotedS + QUOTE_EVERY_S) return null;
    step.quotedS = Number(seconds);
    return `${step.name} … ${said.trim()}`;
  }

  /** What our own script said, else the last words of the step that failed, else those of all. */
  get fault(): string {
    const ours = this.#lines.map(bare).findLast((line) => line.startsWith(OURS));
    if (ours !== undefined) return ours.slice(OURS.length);
    const failed = this.#lines.findIndex((line) => FAILED.test(line));
    if (failed === -1) return shown(this.#lines);
    const [, id, error = ''] = FAILED.exec(this.#lines[failed] ?? '') ?? [];
    // What stands behind it repeats the end of the step.
    const said = this.#lines.slice(0, failed).filter((line) => new RegExp(`^#${id} \\d+\\.\\d+ `).test(line));
    return shown(said) || error;
  }
}

const FAILED = /^#(\d+) ERROR: (.*)$/;
/** As `fail` of image/install.sh begins. */
const OURS = 'halfdoor image: ';
/** Without the number of its step and its seconds. */
const bare = (line: string): string => line.replace(/^#\d+ (\d+\.\d+ )?/, '').trim();
const shown = (lines: readonly string[]): string => lines.map(bare).filter(Boolean).slice(-SHOWN_LINES).join('\n');

/** What to do about a build that failed with these words. */
export function nextAfter(fault: string): string {
  if (/no space left/i.test(fault)) return 'Make room: ./halfdoor image prune, docker builder prune.';
  if (/pull access denied|manifest unknown|failed to resolve source metadata|registry-1\.docker\.io/i.test(fault))
    return 'The base image was not to be had. Name one that is there: ./halfdoor image build --base NAME';
  if (
    /could not resolve|temporary failure|could not connect|unable to connect|certificate|ETIMEDOUT|ENOTFOUND|EAI_AGAIN/i.test(
      fault,
    )
  )
    return 'The build did not reach what it needs. Behind a proxy or with a mirror: docs/image.md';
  return 'Mend what it names, then run the same command again: what was done is kept.';
}
