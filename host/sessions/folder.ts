/** A session's folder: made whole and synced before the row that names it; never emptied, only removed as a whole. */
import {
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  closeSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Durable } from '@halfdoor/protocol/durable';
import {
  inboundSchema,
  INBOUND_VERSION,
  InboundWriter,
  makeTemplate,
  outboundSchema,
  OUTBOUND_VERSION,
} from '@halfdoor/protocol/host';
import type { Trash } from '../files/remove.ts';
import { sessionPaths, type Home, type SessionPaths } from '../home.ts';

export type Templates = { inbound: string; outbound: string };

/** Makes the two empty files that every session's are copied from, once per version. */
export function ensureTemplates(home: Home, durable: Durable): Templates {
  mkdirSync(home.templates, { recursive: true, mode: 0o700 });
  const templates = {
    inbound: join(home.templates, `inbound-${INBOUND_VERSION}.db`),
    outbound: join(home.templates, `outbound-${OUTBOUND_VERSION}.db`),
  };
  // Made again at each start: a half-made template of a killed host is not told apart from a whole one.
  for (const path of Object.values(templates)) {
    rmSync(path, { force: true });
    rmSync(`${path}-journal`, { force: true });
  }
  makeTemplate(templates.inbound, inboundSchema(), durable);
  makeTemplate(templates.outbound, outboundSchema(), durable);
  return templates;
}

function sync(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/**
 * Makes the folder of a new session, whole or, where the disk refuses, not at all. The caller inserts its row afterwards; a
 * folder without a row is swept at start.
 */
export function makeSessionFolder(home: Home, templates: Templates, id: string, durable: Durable): SessionPaths {
  const paths = sessionPaths(home, id);
  try {
    return makeFolder(home, paths, templates, id, durable);
  } catch (error) {
    // No agent has been in there.
    for (const dir of [paths.out, paths.folder]) rmSync(dir, { recursive: true, force: true });
    throw error;
  }
}

function makeFolder(home: Home, paths: SessionPaths, templates: Templates, id: string, durable: Durable): SessionPaths {
  return durable('session-folder', () => {
    for (const dir of [
      paths.folder,
      join(paths.folder, 'in', 'files'),
      join(paths.work, 'home'),
      join(paths.out, 'files'),
    ]) {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
    }
    placeInbound(paths, templates, id, 0, durable);
    copyFileSync(templates.outbound, paths.outbound);
    for (const name of ['outbound.db-journal', 'heartbeat', 'progress']) {
      writeFileSync(join(paths.out, name), '', { mode: 0o600 });
    }
    if (!existsSync(join(paths.folder, 'out'))) symlinkSync(paths.out, join(paths.folder, 'out'));
    sync(paths.outbound);
    for (const dir of [paths.out, paths.work, join(paths.folder, 'in'), paths.folder, home.sessions, home.out])
      sync(dir);
    return paths;
  });
}

/** A fresh inbound.db that mints no number at or below `seqHigh`. */
function placeInbound(paths: SessionPaths, templates: Templates, id: string, seqHigh: number, durable: Durable): void {
  rmSync(`${paths.inbound}-journal`, { force: true });
  copyFileSync(templates.inbound, paths.inbound);
  const writer = new InboundWriter(paths.inbound, durable);
  try {
    writer.adopt(id, seqHigh);
  } finally {
    writer.close();
  }
  sync(paths.inbound);
}

/** Makes a lost or broken inbound.db again; the next projection fills it from central. */
export function rebuildInbound(home: Home, templates: Templates, id: string, seqHigh: number, durable: Durable): void {
  const paths = sessionPaths(home, id);
  durable('session-folder', () => {
    mkdirSync(join(paths.folder, 'in', 'files'), { recursive: true, mode: 0o700 });
    placeInbound(paths, templates, id, seqHigh, durable);
    sync(join(paths.folder, 'in'));
  });
}

/** Takes a session's folders away; its run must be gone. They are gone from the disk when the trash is empty. */
export function discardSessionFolder(home: Home, trash: Pick<Trash, 'discard'>, id: string): void {
  const paths = sessionPaths(home, id);
  trash.discard(paths.out);
  trash.discard(paths.folder);
}
