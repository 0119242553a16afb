/**
 * A disk that keeps its promises and nothing more: what was synced is there after a power cut; of what was written since,
 * each sector may be there or not, in any order; a name comes or goes for good once its folder was synced.
 */
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Random } from '../sim/random.ts';
import type { FileOp } from './trace.ts';

const SECTOR_BYTES = 512;
/** Of Node: made again from nothing. */
const CACHE = 'cache';

/** What becomes of what was not synced: none of it is there, chance decides for each sector, or all of it. */
export type Left = 'nothing' | 'some' | 'everything';

type Write = { offset: number; bytes: Buffer } | { size: number };
type File = { kind: 'file'; synced: Buffer; since: Write[] };
type Thing = (File | { kind: 'folder' } | { kind: 'link'; target: string }) & {
  /** Its name is on the disk; and it was taken away since. */
  named: boolean;
  gone: boolean;
};

export class Disk {
  /** Folders before what is in them. */
  readonly #things = new Map<string, Thing>();

  /** What lies in `folder`, and has been there for long, as if it lay in `root`. */
  constructor(folder: string, root: string) {
    for (const name of readdirSync(folder)) if (name !== CACHE) this.#read(join(folder, name), join(root, name));
  }

  #read(from: string, path: string): void {
    const long = { named: true, gone: false };
    const put = (thing: Omit<File, 'since'> | { kind: 'folder' } | { kind: 'link'; target: string }): void => {
      this.#things.set(path, { ...thing, ...long, ...(thing.kind === 'file' && { since: [] }) } as Thing);
    };
    const target = linkAt(from);
    if (target !== null) return put({ kind: 'link', target });
    const names = namesIn(from);
    if (names === null) return put({ kind: 'file', synced: readFileSync(from) });
    put({ kind: 'folder' });
    for (const name of names) this.#read(join(from, name), join(path, name));
  }

  take(op: FileOp): void {
    const thing = this.#things.get(op.path);
    const isThere = thing !== undefined && !thing.gone;
    const fresh = { named: false, gone: false };
    switch (op.kind) {
      case 'open':
        if (!isThere) this.#things.set(op.path, { kind: 'file', synced: Buffer.alloc(0), since: [], ...fresh });
        else if (op.empties && thing.kind === 'file') thing.since.push({ size: 0 });
        return;
      case 'folder':
        if (!isThere) this.#things.set(op.path, { kind: 'folder', ...fresh });
        return;
      case 'link':
        if (!isThere) this.#things.set(op.path, { kind: 'link', target: op.target, ...fresh });
        return;
      case 'unlink':
        if (thing) thing.gone = true;
        return;
      case 'sync':
        return this.#sync(op.path);
      default:
        if (thing?.kind === 'file') thing.since.push(this.#write(op, thing));
    }
  }

  #write(op: Extract<FileOp, { kind: 'write' | 'append' | 'copy' | 'truncate' }>, file: File): Write {
    if (op.kind === 'truncate') return { size: op.size };
    if (op.kind === 'write') return { offset: op.offset, bytes: op.bytes };
    const offset = now(file).length;
    if (op.kind === 'append') return { offset, bytes: op.bytes };
    const from = this.#things.get(op.from);
    // What lies elsewhere on this machine does not change meanwhile.
    const bytes = from?.kind === 'file' ? now(from) : readFileSync(op.from);
    return { offset, bytes: bytes.subarray(op.offset, op.offset + op.size) };
  }

  #sync(path: string): void {
    const thing = this.#things.get(path);
    if (thing?.kind === 'file') [thing.synced, thing.since] = [now(thing), []];
    for (const [name, it] of this.#things) {
      if (dirname(name) !== path) continue;
      it.named = true;
      if (it.gone) this.#things.delete(name);
    }
  }

  /** Writes what is found when the power is back; `root` is emptied before. */
  cut(left: Left, random: Random, root: string): void {
    for (const name of readdirSync(root)) rmSync(join(root, name), { recursive: true });
    const arrived = (): boolean => left === 'everything' || (left === 'some' && random.chance(50));
    const found = new Set([root]);
    for (const [path, thing] of this.#things) {
      if ((!thing.named && !arrived()) || (thing.gone && arrived()) || !found.has(dirname(path))) continue;
      found.add(path);
      if (thing.kind === 'folder') mkdirSync(path, { mode: 0o700 });
      else if (thing.kind === 'link') symlinkSync(thing.target, path);
      else writeFileSync(path, keptOf(thing, left, random), { mode: 0o600 });
    }
  }
}

const now = (file: File): Buffer => file.since.reduce(apply, file.synced);

const keptOf = (file: File, left: Left, random: Random): Buffer =>
  file.since.flatMap((it) => remains(it, left, random)).reduce(apply, file.synced);

function apply(before: Buffer, it: Write): Buffer {
  const size = 'size' in it ? it.size : Math.max(before.length, it.offset + it.bytes.length);
  const after = Buffer.alloc(size);
  before.copy(after, 0, 0, Math.min(before.length, size));
  if ('bytes' in it) it.bytes.copy(after, it.offset);
  return after;
}

function remains(it: Write, left: Left, random: Random): Write[] {
  if (left !== 'some') return left === 'everything' ? [it] : [];
  if ('size' in it) return random.chance(50) ? [it] : [];
  const sectors: Write[] = [];
  for (let at = 0; at < it.bytes.length;) {
    const end = Math.min(it.bytes.length, at + SECTOR_BYTES - ((it.offset + at) % SECTOR_BYTES));
    if (random.chance(50)) sectors.push({ offset: it.offset + at, bytes: it.bytes.subarray(at, end) });
    at = end;
  }
  return sectors;
}

function linkAt(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    return null; // no link
  }
}

function namesIn(path: string): string[] | null {
  try {
    return readdirSync(path);
  } catch {
    return null; // no folder
  }
}
