/** `image unpack`: what the image holds, also for agents that bubblewrap holds. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { BUILD_COMMAND, neededImage } from '../../host/image/needed.ts';
import type { Context } from '../context.ts';
import { Failure } from '../failure.ts';
import { ensureHome } from '../home-room.ts';
import { openEngine } from '../image/engine.ts';
import { listedImages } from '../image/images.ts';
import { handOver } from '../root.ts';
import { asUser, ensureServiceUser } from '../service-user.ts';

/** No host needs to run: each run of an agent looks for it. */
export async function unpackImage(context: Context, remove: boolean): Promise<void> {
  if (remove) return giveUp(context);
  const engine = openEngine(context.env);
  const needed = neededImage(context.root);
  const { name } = needed;
  const found = (await listedImages(engine, needed)).find(({ state }) => state === 'used');
  if (!found) throw new Failure(`${name} is not there`, `Build it: ${BUILD_COMMAND}`);
  if (found.misfit !== null) throw new Failure(found.misfit, BUILD_COMMAND);
  context.printer.note(`Unpacking ${name} into ${join(context.home, 'image')} …`);
  const fresh = `new-${crypto.randomUUID()}`;
  const take = asHost(context, ['take', fresh]);
  const container = (await engine.ask(['create', '--network', 'none', found.id, 'true'])).trim();
  try {
    await engine.pipe(['export', container], take, environment(context));
  } finally {
    await engine.tryTo(['rm', container]);
  }
  // Only now is it known that the archive was whole.
  await done(context, asHost(context, ['use', fresh, found.id.replace('sha256:', '').slice(0, 12)]));
  context.printer.answer(
    { name, home: context.home },
    `agents in bubblewrap get what ${name} holds, from their next run on`,
  );
}

async function giveUp(context: Context): Promise<void> {
  await done(context, asHost(context, ['remove']));
  context.printer.answer({ removed: true }, "agents in bubblewrap get this machine's programs, from their next run on");
}

async function done(context: Context, [file = '', ...args]: readonly string[]): Promise<void> {
  const child = spawn(file, args, { cwd: '/', env: environment(context), stdio: ['ignore', 'ignore', 'pipe'] });
  const [said, code] = await Promise.all([
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once('close', resolve)),
  ]);
  if (code !== 0) throw new Failure(said, 'Nothing was changed. Look: ./halfdoor doctor');
}

/** The home is that user's: root follows no link in it. */
function asHost(context: Context, words: readonly string[]): string[] {
  const argv = [process.execPath, join(context.root, 'cli', 'image', 'unpack-main.ts'), ...words];
  if (context.uid !== 0) {
    ensureHome(context);
    return argv;
  }
  const user = ensureServiceUser();
  handOver(context.home, user);
  return asUser(user, argv);
}

const environment = ({ env, home }: Context): NodeJS.ProcessEnv => ({ PATH: env.PATH, HALFDOOR_HOME: home });
