/** What runs inside in the runner's place: `peer RUN BASE LABEL`, told by work/verb what to do. Rings when it has done it. */
import { spawn } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const base = process.argv[3] ?? '';
const work = (name: string): string => join(base, 'work', name);
const verb = readFileSync(work('verb'), 'utf8');

/** Whole or not at all. */
function say(what: unknown): void {
  writeFileSync(work('saying'), JSON.stringify(what));
  renameSync(work('saying'), work('said'));
}

function bell(onRing: () => void, onGone: () => void = () => undefined): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(join(base, 'run', 'bell.sock'), () => resolve(socket));
    socket.on('data', onRing);
    socket.on('close', onGone);
    // A host that hangs up before this side has looked is a reset connection to Bun (1.4.5); its end is told by 'close'.
    socket.on('error', () => undefined);
  });
}

const open = (path: string): DatabaseSync => new DatabaseSync(path, { timeout: 0 });

/** Whether somebody else holds the write lock. */
function isLocked(path: string): boolean {
  const db = open(path);
  try {
    db.exec('begin immediate; rollback');
    return false;
  } catch {
    return true;
  } finally {
    db.close();
  }
}

/** What it gave, or the code of its failure. */
function attempt(effect: () => unknown): unknown {
  try {
    return effect() ?? 'done';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  }
}

/** Until it is ended from outside. */
const stay = (): void => void setInterval(() => undefined, 1000);

async function ring(onRing: () => void = () => undefined): Promise<void> {
  (await bell(onRing)).write('r');
  stay();
}

const VERBS: Record<string, () => Promise<void>> = {
  exits: async () => {
    process.stderr.write('boom\n');
    process.exit(7);
  },
  dies: async () => {
    process.kill(process.pid, 'SIGKILL');
  },
  commits: async () => {
    const db = open(work('t.db'));
    db.exec('create table t (a); begin immediate; insert into t values (1)');
    process.on('SIGTERM', () => {
      db.exec('commit');
      process.exit(0);
    });
    await ring();
  },
  deaf: async () => {
    process.on('SIGTERM', () => undefined);
    say({ deaf: true });
    await ring();
  },
  breeds: async () => {
    for (let n = 0; n < 3; n++) spawn('/bin/sleep', ['60'], { stdio: 'ignore' });
    await ring();
  },
  /** Children that left the group and the session: only a wall holds them. */
  scatters: async () => {
    for (let n = 0; n < 3; n++) spawn('/bin/sh', ['-c', 'setsid sleep 60 &'], { detached: true, stdio: 'ignore' });
    await ring();
  },
  locks: async () => {
    const held = open(join(base, 'out', 'outbound.db'));
    held.exec('begin immediate');
    const socket = await bell(() => {
      held.exec('rollback');
      say({ locked: isLocked(work('host.db')) });
      socket.write('r');
    });
    socket.write('r');
    stay();
  },
  echoes: async () => {
    const socket = await bell(
      () => socket.write('r'),
      () => process.exit(9),
    );
    stay();
  },
  /** What can be done in the folder of a person. */
  visits: async () => {
    const folder = join(base, 'folder');
    const read = attempt(() => readFileSync(join(folder, 'mark'), 'utf8'));
    say({ read, wrote: attempt(() => writeFileSync(join(folder, 'made'), 'inside')) });
    await ring();
  },
  tells: async () => {
    say({ env: process.env, argv: process.argv.slice(2), cwd: process.cwd() });
    await ring();
  },
};

await VERBS[verb]?.();
