/**
 * `node cli/image/unpack-main.ts WORD…`, as the user that the host runs as: `take NAME` unpacks what bubblewrap needs of
 * the archive at its standard input into the home, `use NAME ID` has the next runs stand on it, `remove` on the machine's
 * own. Runs that are there go on: what they stand on stays until the next but one.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { homeAt } from '../../host/home.ts';

/** All else is the host's own: what a session sees of /etc, /tmp and its files. */
const PARTS = ['usr', 'etc/alternatives', 'etc/ld.so.cache'];
/** What a sandbox is begun with, inside. */
const NEEDED = ['usr/bin/tini', 'usr/bin/prlimit', 'usr/bin/dash'];
const TAIL = 500;

const { image } = homeAt(process.env.HALFDOOR_HOME ?? '');
const current = join(image, 'current');

function take(fresh: string): void {
  mkdirSync(image, { recursive: true, mode: 0o700 });
  mkdirSync(fresh);
  const done = spawnSync('tar', ['-x', '-C', fresh, '--no-same-owner', ...PARTS], { stdio: [0, 'ignore', 'pipe'] });
  if (done.status !== 0) throw new Error(done.error?.message ?? String(done.stderr).slice(-TAIL));
}

function use(fresh: string, id: string): void {
  const missing = NEEDED.filter((it) => !existsSync(join(fresh, it)));
  if (missing.length > 0) throw new Error(`there is no ${missing.join(', ')} in the image`);
  // Before its name says that it is whole: a power cut would take the content and leave the name (syncfs(2)).
  spawnSync('sync', ['-f', fresh]);
  const [folder, link] = [join(image, id), join(image, 'next')];
  // What is there already may be what runs stand on.
  if (!existsSync(folder)) renameSync(fresh, folder);
  const before = existsSync(current) ? readlinkSync(current) : id;
  rmSync(link, { force: true });
  symlinkSync(id, link);
  renameSync(link, current);
  const kept = ['current', id, before];
  for (const name of readdirSync(image).filter((it) => !kept.includes(it)))
    rmSync(join(image, name), { recursive: true, force: true });
}

process.umask(0o022);
const [word, name = '', id = ''] = process.argv.slice(2);
try {
  if (word === 'take') take(join(image, name));
  else if (word === 'use') use(join(image, name), id);
  else rmSync(current, { force: true });
} catch (error) {
  process.stderr.write((error as Error).message);
  process.exitCode = 1;
}
