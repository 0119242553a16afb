/** image/build.env: what a build puts into the image unless it is told otherwise. The build itself reads it in the shell. */
import { Failure } from '../failure.ts';

export const SETTINGS_FILE = 'image/build.env';

/** What can be built in besides what every agent has, and the setting that holds its version; null is Debian's own. */
export const PROGRAMS = {
  claude: 'CLAUDE_CODE_VERSION',
  codex: 'CODEX_VERSION',
  opencode: 'OPENCODE_VERSION',
  gemini: 'GEMINI_VERSION',
  browser: 'AGENT_BROWSER_VERSION',
  vercel: 'VERCEL_VERSION',
  python: null,
} as const;
export type ProgramName = keyof typeof PROGRAMS;

/** Without these there is no image: they may not be empty. */
const ALWAYS = ['BUN_VERSION', 'NODE_VERSION', 'NPM_VERSION'] as const;
const VERSIONS: readonly string[] = [...ALWAYS, ...Object.values(PROGRAMS).filter((it) => it !== null)];
/** Exact, as in semver: a tag such as `latest` is another program every day. */
const VERSION = /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/;

export type Settings = { versions: Readonly<Record<string, string>>; with: readonly ProgramName[] };

/** Throws `Failure` that names the line to mend. */
export function readSettings(text: string): Settings {
  const values = new Map<string, string>();
  text.split('\n').forEach((line, at) => {
    if (line === '' || line.startsWith('#')) return;
    const [, name = '', value = ''] = /^([A-Z_]+)=(.*)$/.exec(line) ?? [];
    const fault = faultOf(name, value) ?? (values.has(name) ? 'says it a second time' : null);
    if (fault !== null) throw wrong(`line ${at + 1} of ${SETTINGS_FILE} ${fault}: ${line}`);
    values.set(name, value);
  });
  const missing = [...VERSIONS, 'WITH', 'INSTALL_CJK_FONTS'].filter((name) => !values.has(name));
  if (missing.length > 0) throw wrong(`${SETTINGS_FILE} lacks ${missing.join(', ')}`);
  return {
    versions: Object.fromEntries(VERSIONS.map((name) => [name, values.get(name) ?? ''])),
    with: programsOf(values.get('WITH') ?? ''),
  };
}

function faultOf(name: string, value: string): string | null {
  if (name === 'WITH') return unknownIn(value).length === 0 ? null : `names ${unknownIn(value).join(', ')}; ${KNOWN}`;
  if (name === 'INSTALL_CJK_FONTS') return ['true', 'false'].includes(value) ? null : 'must be true or false';
  if (!VERSIONS.includes(name)) return 'is no setting';
  if (value === '') return ALWAYS.some((it) => it === name) ? 'may not be empty' : null;
  return VERSION.test(value) ? null : 'is not an exact version';
}

const isProgram = (name: string): name is ProgramName => Object.hasOwn(PROGRAMS, name);
const namesIn = (list: string): string[] => [...new Set(list.split(',').filter((it) => it !== ''))];
const unknownIn = (list: string): string[] => namesIn(list).filter((it) => !isProgram(it));
const KNOWN = `known are ${Object.keys(PROGRAMS).join(', ')}`;

/** Of a list with commas, in the order of `PROGRAMS`. Throws `Failure` on a name nobody knows. */
export function programsOf(list: string): ProgramName[] {
  const unknown = unknownIn(list);
  if (unknown.length > 0) throw new Failure(`nothing called ${unknown.join(', ')} can be built in`, `${KNOWN}.`, 2);
  const names = namesIn(list);
  return Object.keys(PROGRAMS).filter((it): it is ProgramName => names.includes(it));
}

/** Throws `Failure` for a program that was asked for and whose version is empty. */
export function checkVersions({ versions }: Settings, programs: readonly ProgramName[]): void {
  const isEmpty = (setting: string | null): boolean => setting !== null && versions[setting] === '';
  const empty = programs.filter((it) => isEmpty(PROGRAMS[it]));
  if (empty.length === 0) return;
  const names = empty.map((it) => PROGRAMS[it]).join(', ');
  throw new Failure(`${empty.join(', ')} cannot be built in: ${names} is empty`, `Set it in ${SETTINGS_FILE}.`);
}

const wrong = (what: string): Failure => new Failure(what, `Mend it: git diff ${SETTINGS_FILE}`);
