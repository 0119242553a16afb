/** `image build`, `list` and `prune`: the image that Docker starts agents from. All of it goes on in this process, none in the host. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { BUILD_COMMAND, neededImage } from '../../host/image/needed.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { openEngine } from '../image/engine.ts';
import { listedImages, type Image } from '../image/images.ts';
import { BuildProgress, nextAfter } from '../image/progress.ts';
import { checkVersions, programsOf, readSettings, SETTINGS_FILE, type ProgramName } from '../image/settings.ts';
import { table } from '../printer.ts';
import { ask } from '../question.ts';

/** As commander reads them. */
export type BuildOptions = {
  with?: string;
  base?: string;
  network?: string;
  aptSources?: string;
  ca?: string;
  npmrc?: string;
  fresh: boolean;
};

const MB = 1_000_000;
/** Docker's own words for it, as `docker image ls` shows it. */
const size = (bytes: number): string => `${Math.round(bytes / MB)} MB`;
const contents = (programs: readonly string[]): string => (programs.length === 0 ? 'slim' : programs.join(','));

/** Builds it and gives it the name that the next runs of agents look for. Throws `Failure` with the last words of the step that failed. */
export async function buildImage(context: Context, options: BuildOptions): Promise<void> {
  const settings = readSettings(readFileSync(join(context.root, SETTINGS_FILE), 'utf8'));
  const programs = options.with === undefined ? settings.with : programsOf(options.with);
  checkVersions(settings, programs);
  const args = buildArguments(context, options, programs);
  const engine = openEngine(context.env);
  await engine.ask(['version', '--format', '{{.Server.Version}}']);
  const needed = neededImage(context.root);
  const began = performance.now();
  const progress = new BuildProgress();
  context.printer.note(`Building ${needed.name} (${contents(programs)}) …`);
  const code = await engine.follow(args, context.root, (line) => {
    const shown = progress.take(line);
    if (shown !== null) context.printer.note(shown);
  });
  if (code !== 0) {
    const { fault } = progress;
    throw new Failure(`the image was not built:\n${fault}`, nextAfter(fault));
  }
  const images = await listedImages(engine, needed);
  const made = images.find(({ state }) => state === 'used');
  if (!made) throw new Failure(`${needed.name} was built and is gone again`, BUILD_COMMAND);
  const seconds = Math.round((performance.now() - began) / 1000);
  const { id, bytes } = made;
  context.printer.answer(
    { name: needed.name, id, with: programs, bytes, seconds },
    `built ${needed.name}: ${contents(programs)}, ${size(bytes)}, ${seconds} s`,
  );
  const old = images.filter(({ state }) => state === 'old').length;
  if (old > 0) context.printer.note(`${old} from before can go: ./halfdoor image prune`);
}

/** Proxies by name only: docker takes their values from its environment, so that a password in one stays out of argv. */
const PROXIES = ['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY', 'http_proxy', 'https_proxy', 'no_proxy'];

function buildArguments(context: Context, options: BuildOptions, programs: readonly ProgramName[]): string[] {
  const { name, madeOf, runnerLock, checkout } = neededImage(context.root);
  const secret = (id: string, path: string | undefined): string[] =>
    path === undefined ? [] : ['--secret', `id=${id},src=${readable(context, path)}`];
  return [
    ...['build', '--progress=plain', '--file', 'image/Dockerfile', '--tag', name],
    ...(options.base === undefined ? [] : ['--build-arg', `BASE_IMAGE=${options.base}`]),
    ...['--build-arg', `WITH=${programs.join(',')}`, '--build-arg', `RUNNER_LOCK=${runnerLock}`],
    ...['--build-arg', `MADE_OF=${madeOf}`, '--build-arg', `CHECKOUT=${checkout}`],
    ...PROXIES.filter((it) => context.env[it]).flatMap((it) => ['--build-arg', it]),
    ...(options.network === undefined ? [] : ['--network', options.network]),
    ...(options.fresh ? ['--no-cache'] : []),
    ...secret('apt', options.aptSources),
    ...secret('ca', options.ca),
    ...secret('npmrc', options.npmrc),
    '.',
  ];
}

function readable({ cwd }: Context, path: string): string {
  const full = resolve(cwd, path);
  if (existsSync(full)) return full;
  throw new Failure(`there is no file ${full}`, 'Give one that is there. Nothing was built.', 2);
}

const STATES = { used: 'agents get it', old: 'no longer needed', foreign: 'not of this checkout' } as const;

export async function listImages(context: Context): Promise<void> {
  const needed = neededImage(context.root);
  const images = await listedImages(openEngine(context.env), needed);
  const used = images.find(({ state }) => state === 'used');
  const rows = images.map((it) => [called(it), contents(it.with), size(it.bytes), it.createdAt.slice(0, 19), fits(it)]);
  const lines = rows.length === 0 ? [] : [table([['IMAGE', 'WITH', 'SIZE', 'MADE', 'FITS'], ...rows])];
  const missing = `Agents in Docker need ${needed.name}, which is not there: ${BUILD_COMMAND}`;
  context.printer.answer({ needed: needed.name, images }, [...lines, ...(used ? [] : [missing])].join('\n'));
}

const called = ({ id, names }: Image): string => names[0] ?? id.replace('sha256:', '').slice(0, 12);
const fits = ({ state, misfit }: Image): string =>
  state === 'used' && misfit !== null ? `no: ${misfit}` : STATES[state];

/** Of this checkout, and needed no more. One that a container still has stays, and that is said. */
export async function pruneImages(context: Context): Promise<void> {
  const engine = openEngine(context.env);
  const old = (await listedImages(engine, neededImage(context.root))).filter(({ state }) => state === 'old');
  if (old.length === 0) return context.printer.answer({ removed: [], kept: [] }, 'nothing to remove');
  for (const it of old) context.printer.note(`${called(it)}  ${contents(it.with)}  ${size(it.bytes)}`);
  if (!context.yes) await mustAgree(old.length);
  const removed: string[] = [];
  const kept: { image: string; why: string }[] = [];
  for (const it of old) {
    const { code, err } = await engine.tryTo(['image', 'rm', ...(it.names.length === 0 ? [it.id] : it.names)]);
    if (code === 0) removed.push(called(it));
    else kept.push({ image: called(it), why: err.trim() });
  }
  const lines = [
    `removed ${removed.length} of ${old.length}`,
    ...kept.map(({ image, why }) => `${image} stays: ${why}`),
  ];
  context.printer.answer({ removed, kept }, lines.join('\n'));
}

async function mustAgree(count: number): Promise<void> {
  const question = `Remove ${count === 1 ? 'it' : `these ${count}`}? No agent needs ${count === 1 ? 'it' : 'them'}. [y/N] `;
  const answer = await ask({ input: process.stdin, output: process.stderr }, question);
  if (answer === null) {
    throw new Failure('nobody is there to be asked', 'If they shall go: ./halfdoor image prune --yes', 2);
  }
  if (!/^y(es)?$/i.test(answer.trim())) throw new Failure('they stay', 'Nothing was changed.');
}
