/** What runs inside in the runner's place: `peer RUN BASE LABEL`, told by work/verb what to do. Rings when it has done it. */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const base = process.argv[3] ?? '';
const work = (name: string): string => join(base, 'work', name);
const verb = readFileSync(work('verb'), 'utf8');
const say = (what: unknown): void => writeFileSync(work('said'), JSON.stringify(what));

function bell(onRing: () => void): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect(join(base, 'run', 'bell.sock'), () => resolve(socket));
    socket.on('data', onRing);
  });
}

function open(path: string): DatabaseSync {
  return new DatabaseSync(path, { timeout: 0 });
}

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

const stay = (): void => void setInterval(() => undefined, 1000);

const VERBS: Record<string, () => Promise<void>> = {
  exits: async () => {
    process.stderr.write('boom\n');
    process.exit(7);
  },
  commits: async () => {
    const db = open(work('t.db'));
    db.exec('create table t (a); begin immediate; insert into t values (1)');
    process.on('SIGTERM', () => {
      db.exec('commit');
      process.exit(0);
    });
    (await bell(() => undefined)).write('r');
    stay();
  },
  deaf: async () => {
    process.on('SIGTERM', () => undefined);
    (await bell(() => undefined)).write('r');
    stay();
  },
  breeds: async () => {
    for (const command of ['setsid sleep 20 &', 'nohup sleep 20 >/dev/null 2>&1 &']) {
      spawn('/bin/sh', ['-c', command], { detached: true, stdio: 'ignore' });
    }
    (await bell(() => undefined)).write('r');
    stay();
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
  tells: async () => {
    say({ env: Object.keys(process.env).sort(), group: process.pid });
    (await bell(() => undefined)).write('r');
    stay();
  },
};

await VERBS[verb]?.();
