/** Folders of live sessions: whether they are there, and of a version that this Halfdoor knows. */
import { closeSync, constants, existsSync, fstatSync, openSync, readSync } from 'node:fs';
import { INBOUND_VERSION, OUTBOUND_VERSION } from '@halfdoor/protocol/host';
import type { OpenSession } from '../db/inspect.ts';
import { sessionPaths } from '../home.ts';
import type { Check, Found } from './check.ts';
import type { Ground } from './ground.ts';

/** Of the file format of SQLite (https://sqlite.org/fileformat2.html#user_version_number). */
const HEADER_BYTES = 100;
const USER_VERSION_AT = 60;

export const sessionFiles = ({ home, central, root }: Ground): Check => ({
  name: 'the folders of sessions',
  look: () => {
    const live = central.state === 'sound' ? central.sessions : [];
    return { fine: `${live.length} live sessions have their folders`, found: live.flatMap((it) => judge(it)) };

    function judge({ id, agent }: OpenSession): Found[] {
      const paths = sessionPaths(home, id);
      const afresh = `./halfdoor send ${agent} /new`;
      if (!existsSync(paths.folder) || !existsSync(paths.out)) {
        const what = `The folder of agent ${agent}'s session ${id} is missing. Put it back from a backup, or begin afresh.`;
        return [{ id: `session-missing:${id}`, severity: 'broken', what, next: afresh }];
      }
      const newer = [
        { path: paths.inbound, known: INBOUND_VERSION },
        { path: paths.outbound, known: OUTBOUND_VERSION },
      ].find(({ path, known }) => versionOf(path) > known);
      if (!newer) return [];
      const what = `${newer.path} has version ${versionOf(newer.path)}, made by a newer Halfdoor; this one knows up to ${newer.known}. Update this checkout, or begin afresh with ${afresh}.`;
      return [{ id: `session-newer:${id}`, severity: 'broken', what, next: `git -C ${root} pull` }];
    }
  },
});

/** Its 100 bytes are read, never opened as a database: an agent may have written them. 0 for what is no plain file. */
function versionOf(path: string): number {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return 0; // made again from central at the next wake, or told by the reader
  }
  try {
    const header = Buffer.alloc(HEADER_BYTES);
    if (!fstatSync(fd).isFile() || readSync(fd, header, 0, HEADER_BYTES, 0) < HEADER_BYTES) return 0;
    return header.readUInt32BE(USER_VERSION_AT);
  } finally {
    closeSync(fd);
  }
}

/** What new sessions are copied from; made at each start of a host, so that they matter only while one runs. */
export const templates = ({ home, held }: Ground): Check => ({
  name: 'the templates of session files',
  look: () => {
    const wrong = Object.entries({ inbound: INBOUND_VERSION, outbound: OUTBOUND_VERSION })
      .map(([name, version]) => ({ path: `${home.templates}/${name}-${version}.db`, version }))
      .filter(({ path, version }) => held && versionOf(path) !== version);
    const found = wrong.map(({ path }): Found => {
      const what = `${path}, from which new sessions are made, is missing or damaged. A start of the host makes it again.`;
      return { id: `template:${path}`, severity: 'broken', what, next: './halfdoor stop && ./halfdoor start --detach' };
    });
    return { fine: 'the templates are whole', found };
  },
});
