/** Who may import whom. One row is one wall; a file must satisfy every row that names it. */
import { posix } from 'node:path';
import type { Finding, Import, Lint, Source } from './source.ts';

export type Wall = {
  name: string;
  /** Files behind this wall. */
  of(path: string): boolean;
  /** `to` is a path from the root, a package, or `node:…`. */
  allows(to: string, from: string, it: Import): boolean;
};

const isTest = (path: string): boolean => /(^|\/)tests\//.test(path);
const isSource = (folder: string) => (path: string) => path.startsWith(`${folder}/`) && !isTest(path);
const RUNNER_DOORS = ['runner', 'message', 'file', 'limits', 'action', 'durable', 'fault', 'bell'].map(
  (it) => `@halfdoor/protocol/${it}`,
);
const READER_MAIN = 'host/outbound/reader-main.ts';
const READER_FILES = 'host/outbound/outbound-files.ts';
/** Open what an agent placed. */
const READER_ONLY: readonly string[] = [READER_FILES, 'host/files/piece.ts', 'host/files/open.ts'];

export const WALLS: readonly Wall[] = [
  {
    name: 'protocol depends on nothing but node',
    of: isSource('protocol'),
    allows: (to) => to.startsWith('node:') || to.startsWith('protocol/'),
  },
  {
    name: 'host and runner never import each other',
    of: (path) => path.startsWith('host/') || path.startsWith('runner/'),
    allows: (to, from) => !(from.startsWith('host/') ? reaches(to, 'runner') : reaches(to, 'host')),
  },
  {
    name: 'the runner comes in by its own doors of the protocol',
    of: isSource('runner'),
    allows: (to) => !reaches(to, 'protocol') || RUNNER_DOORS.includes(to),
  },
  {
    name: 'the host has no way to write what the runner writes',
    of: isSource('host'),
    allows: (to) => !['@halfdoor/protocol/runner', 'protocol/runner.ts', 'protocol/outbound.ts'].includes(to),
  },
  {
    name: 'the host takes the protocol by its doors',
    of: isSource('host'),
    allows: (to) => !to.startsWith('protocol/'),
  },
  {
    name: 'only the reader process opens what an agent wrote',
    of: (path) => !isTest(path) && !path.startsWith('protocol/') && path !== READER_FILES,
    allows: (to, from) =>
      to !== '@halfdoor/protocol/reader' &&
      to !== 'protocol/reader.ts' &&
      (!READER_ONLY.includes(to) || from === READER_MAIN || READER_ONLY.includes(from)),
  },
  {
    name: 'the CLI knows the host by its API, where its home lies, what a check is and what its image is called',
    of: isSource('cli'),
    allows: (to, _from, it) =>
      !reaches(to, 'host') ||
      it.typeOnly ||
      ['host/home.ts', 'host/doctor/check.ts', 'host/image/needed.ts'].includes(to),
  },
  {
    name: 'a channel knows only the seam and the types of the protocol',
    of: (path) => isSource('host/channels')(path) && !HOST_SIDE_OF_CHANNELS.includes(path),
    allows: (to, from, it) =>
      SEAM_OF_CHANNELS.includes(to) ||
      isOwnFolder(to, from) ||
      isPackage(to) ||
      (reaches(to, 'protocol') && it.typeOnly),
  },
];

const SEAM_OF_CHANNELS = ['host/channels/channel.ts', 'host/channels/channel-host.ts'];
/** What of host/channels is no adapter but the host's side of all of them. */
const HOST_SIDE_OF_CHANNELS = [
  'channel',
  'channel-host',
  'index',
  'roster',
  'host-side',
  'remove',
  'views',
  'add-telegram',
  'forget',
  'telegram-side',
].map((name) => `host/channels/${name}.ts`);

const reaches = (to: string, folder: string): boolean =>
  to.startsWith(`${folder}/`) || to.startsWith(`@halfdoor/${folder}`);
const isPackage = (to: string): boolean =>
  to.startsWith('node:') || (!to.includes('.ts') && !to.startsWith('@halfdoor/'));
/** host/channels/<name>/… may use what lies beside it there. */
const isOwnFolder = (to: string, from: string): boolean =>
  posix.dirname(from) !== 'host/channels' && posix.dirname(to) === posix.dirname(from);

/** As a path from the root where it is one, else as it stands. */
export const resolveImport = (from: string, to: string): string =>
  to.startsWith('.') ? posix.normalize(posix.join(posix.dirname(from), to)) : to;

export const walls: Lint = {
  name: 'walls',
  run: (sources) => sources.flatMap(checkOne),
};

function checkOne(source: Source): Finding[] {
  return WALLS.filter((wall) => wall.of(source.path)).flatMap((wall) =>
    source.imports
      .map((it) => ({ it, to: resolveImport(source.path, it.from) }))
      .filter(({ it, to }) => !wall.allows(to, source.path, it))
      .map(({ it }) => ({ path: source.path, line: it.line, what: `imports ${it.from}: ${wall.name}` })),
  );
}
