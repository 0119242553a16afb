/**
 * A disk that keeps its promises and nothing more: what was synced is there after a power cut; of what was written since,
 * each sector may be there or not, in any order; the name of a new file, once its folder was synced.
 */
import { dirname } from 'node:path';
import type { Random } from '../sim/random.ts';
import type { FileOp } from './trace.ts';

const SECTOR_BYTES = 512;

/** What becomes of what was not synced: all of it is lost, chance decides for each sector, or all of it had arrived. */
export type Left = 'nothing' | 'some' | 'everything';

type Write = Extract<FileOp, { kind: 'write' | 'truncate' }>;
type File = { synced: Buffer; since: Write[]; /** Its name is on the disk. */ named: boolean };

export class Disk {
  readonly #files: Map<string, File>;

  /** What is there at first has been there for long. */
  constructor(files: ReadonlyMap<string, Buffer>) {
    this.#files = new Map([...files].map(([path, bytes]) => [path, { synced: bytes, since: [], named: true }]));
  }

  take(op: FileOp): void {
    const file = this.#files.get(op.path);
    switch (op.kind) {
      case 'create':
        if (!file) this.#files.set(op.path, { synced: Buffer.alloc(0), since: [], named: false });
        break;
      case 'unlink':
        this.#files.delete(op.path);
        break;
      case 'sync':
        for (const [path, it] of this.#files) if (dirname(path) === op.path) it.named = true;
        if (file) [file.synced, file.since] = [file.since.reduce(apply, file.synced), []];
        break;
      default:
        file?.since.push(op);
    }
  }

  /** The files as they are found when the power is back. */
  cut(left: Left, random: Random): Map<string, Buffer> {
    const kept = (it: File): Buffer => it.since.flatMap((op) => remains(op, left, random)).reduce(apply, it.synced);
    const found = [...this.#files].filter(([, it]) => it.named || (left !== 'nothing' && random.chance(50)));
    return new Map(found.map(([path, it]) => [path, kept(it)]));
  }
}

function apply(before: Buffer, op: Write): Buffer {
  const size = op.kind === 'truncate' ? op.size : Math.max(before.length, op.offset + op.bytes.length);
  const after = Buffer.alloc(size);
  before.copy(after, 0, 0, Math.min(before.length, size));
  if (op.kind === 'write') op.bytes.copy(after, op.offset);
  return after;
}

function remains(op: Write, left: Left, random: Random): Write[] {
  if (left !== 'some') return left === 'everything' ? [op] : [];
  if (op.kind === 'truncate') return random.chance(50) ? [op] : [];
  const sectors: Write[] = [];
  for (let at = 0; at < op.bytes.length;) {
    const end = Math.min(op.bytes.length, at + SECTOR_BYTES - ((op.offset + at) % SECTOR_BYTES));
    if (random.chance(50)) sectors.push({ ...op, offset: op.offset + at, bytes: op.bytes.subarray(at, end) });
    at = end;
  }
  return sectors;
}
