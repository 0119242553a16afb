/** What was typed before, one entry a line, so that it outlives the process. A convenience: what fails here is not told. */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  writeSync,
  ftruncateSync,
} from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';

export type History = { readonly lines: readonly string[]; add(text: string): void };

const ENTRIES = 500;
const ENTRY_CHARS = 4096;
const FILE_BYTES = 4 * 1024 * 1024;
const { O_RDWR, O_CREAT, O_APPEND, O_NOFOLLOW, O_NONBLOCK } = constants;

/** `$XDG_STATE_HOME/halfdoor/history`, else below ~/.local/state; null when no such place was named. */
export function historyPath(env: NodeJS.ProcessEnv): string | null {
  const { XDG_STATE_HOME: state, HOME: home } = env;
  if (state && isAbsolute(state)) return join(state, 'halfdoor', 'history');
  return home && isAbsolute(home) ? join(home, '.local', 'state', 'halfdoor', 'history') : null;
}

/** Reads the newest entries. Without a place of this user's own it lasts as long as the process. */
export function openHistory(path: string | null, uid: number): History {
  const lines = path === null ? [] : (withFile(path, uid, load) ?? []);
  return {
    lines,
    add: (text) => {
      const entry = text.trim();
      if (entry === '' || entry === lines.at(-1) || entry.length > ENTRY_CHARS) return;
      lines.push(entry);
      if (lines.length > ENTRIES) lines.shift();
      if (path !== null) withFile(path, uid, (fd) => writeSync(fd, `${oneLine(entry)}\n`));
    },
  };
}

/** Null when the file is not this user's own plain file, or anything fails. */
function withFile<T>(path: string, uid: number, use: (fd: number) => T): T | null {
  let fd: number | null = null;
  try {
    if (!ownAncestor(dirname(path), uid)) return null;
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (!isOwnFolder(dirname(path), uid)) return null;
    fd = openSync(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0o600);
    const seen = fstatSync(fd);
    const fine = seen.isFile() && seen.uid === uid && seen.nlink === 1 && seen.size <= FILE_BYTES;
    return fine ? use(fd) : null;
  } catch {
    return null;
  } finally {
    if (fd !== null) closeSync(fd);
  }
}

/** Root with the home of another, as sudo leaves it, must make nothing there. */
function ownAncestor(folder: string, uid: number): boolean {
  const found = lstatSync(folder, { throwIfNoEntry: false });
  if (found === undefined) return folder !== '/' && ownAncestor(dirname(folder), uid);
  return found.uid === uid;
}

function isOwnFolder(folder: string, uid: number): boolean {
  const found = lstatSync(folder);
  return found.isDirectory() && found.uid === uid;
}

/** The newest entries; what is older is taken out of the file. */
function load(fd: number): string[] {
  const content = Buffer.alloc(fstatSync(fd).size);
  const text = content.toString('utf8', 0, readSync(fd, content, 0, content.length, 0));
  const all = text.split('\n').filter((line) => line !== '');
  const kept = all.slice(-ENTRIES);
  if (kept.length < all.length) {
    ftruncateSync(fd, 0);
    writeSync(fd, `${kept.join('\n')}\n`);
  }
  return kept.map(manyLines);
}

const oneLine = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const manyLines = (line: string): string =>
  line.replaceAll(/\\(.)/g, (_all, char) => (char === 'n' ? '\n' : String(char)));
