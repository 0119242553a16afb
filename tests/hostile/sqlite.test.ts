// needs: userns
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { makeTemplate, outboundSchema } from '@halfdoor/protocol/host';
import { LIMITS } from '@halfdoor/protocol/limits';
import { bunPath } from '../world/programs.ts';
import { scene, type Kind, type Scene } from './scene.ts';

const PEER = join(import.meta.dirname, 'peers', 'sqlite.ts');

/** Hosts that open the file themselves, without a guard. Each prints what came of it, unless it dies of it. */
const READ = `const rows = db.prepare('select * from messages_out where seq > 1').all(); print(rows[0]?.content ?? rows.length)`;
const CURSOR = `db.prepare('select max(seq) as high from messages_out'); const { high } = (() => { const it = db.prepare('select max(seq) as high from messages_out');
  it.setReadBigInts(true); return it.get(); })(); print(db.prepare('select count(*) as n from messages_out where seq > ?').get(high).n + ' above ' + high)`;
const naive = (body: string, options = '{ readOnly: true }'): string => `
  const { DatabaseSync } = require('node:sqlite');
  const print = (it) => console.log(String(it).length > 200 ? String(it).length + ' characters' : String(it));
  const db = new DatabaseSync('outbound.db', ${options});
  ${body}`;

type Attack = {
  verb: string;
  /** What the host without a guard does, given the same file. */
  host: string;
  /** What came of that, where it is: its output, its death, and what lies in the folder. */
  comesTo(of: { said: string; died: boolean; late: boolean; folder: string }): void;
  /** What the guard says in the host's log. */
  held: RegExp;
};

const dies: Attack['comesTo'] = ({ died, late }) => assert.ok(died && !late);
const neverEnds: Attack['comesTo'] = ({ late }) => assert.ok(late);
const says =
  (pattern: RegExp): Attack['comesTo'] =>
  ({ said }) =>
    assert.match(said, pattern);

const SCHEMA = /the schema is not the one the host made/;
/** A row is asked for while the file is cut under the map of it. */
const MAPPED = `db.exec('pragma mmap_size = 268435456'); db.prepare('select count(*) from messages_out').get();
  require('node:fs').truncateSync('outbound.db', 0); ${READ}`;

const ATTACKS: readonly Attack[] = [
  {
    verb: 'wal-header',
    host: naive(READ),
    comesTo: ({ folder }) => assert.ok(existsSync(join(folder, 'seen-shm'))),
    held: /journal format 2\/2 in the header/,
  },
  { verb: 'not-sqlite', host: naive(READ), comesTo: dies, held: /no SQLite header/ },
  { verb: 'page-size', host: naive(READ), comesTo: dies, held: /not a sound session file/ },
  { verb: 'encoding', host: naive(READ), comesTo: dies, held: /not a sound session file|schema/ },
  { verb: 'schema-format', host: naive(READ), comesTo: dies, held: /refused/ },
  { verb: 'tree-loop', host: naive(READ), comesTo: dies, held: /not a sound session file/ },
  { verb: 'truncate', host: naive(MAPPED), comesTo: dies, held: /no SQLite header|not a sound session file/ },
  {
    verb: 'super-journal',
    host: naive(READ, '{}'),
    comesTo: ({ folder }) => assert.equal(statSync(join(folder, 'outbound.db')).size, 4096),
    held: /a cut-off transaction|hot-journal|no SQLite header|sound/,
  },
  { verb: 'views', host: naive(READ), comesTo: neverEnds, held: /a read took too long|the schema is not/ },
  { verb: 'recursive-view', host: naive(READ), comesTo: neverEnds, held: SCHEMA },
  { verb: 'generated-column', host: naive(READ), comesTo: says(/^60000000 characters$/), held: SCHEMA },
  { verb: 'virtual-table', host: naive(READ), comesTo: says(/outbound\.db/), held: SCHEMA },
  {
    verb: 'trigger',
    host: naive(`db.exec('update meta set run = 9'); ${READ}`, '{}'),
    comesTo: says(/by the trigger/),
    held: SCHEMA,
  },
  { verb: 'seq-highest', host: naive(CURSOR), comesTo: says(/^0 above 9223372036854775807$/), held: /bad row/ },
  { verb: 'seq-text', host: naive(CURSOR), comesTo: says(/above three/), held: SCHEMA },
  { verb: 'blob', host: naive(READ), comesTo: says(/^67108864 characters$/), held: /too-large|67\d{6} bytes/ },
  {
    verb: 'sparse',
    host: `console.log(require('node:fs').readFileSync('outbound.db').length)`,
    comesTo: says(/^629145600$/),
    held: /629145600 bytes/,
  },
];

/** Four times the deadline of the host's reader. A machine under load only makes what is late later. */
const LATE_MS = 4 * LIMITS.readerDeadlineMs;

/** The same file in a folder of nobody, and a host without guards that opens it. */
function control(t: TestContext, { verb, host, comesTo }: Attack): void {
  const folder = mkdtempSync(join(tmpdir(), 'hd-control-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  makeTemplate(join(folder, 'outbound.db'), outboundSchema(), makeDurable());
  writeFileSync(join(folder, 'outbound.db-journal'), '');
  writeFileSync(join(folder, 'victim'), 'of the host');
  const peer = spawnSync(bunPath(), [PEER, verb, folder, join(folder, 'victim')], { encoding: 'utf8' });
  assert.equal(peer.status, 0, peer.stderr);
  const timeout = comesTo === neverEnds ? LATE_MS : 60_000;
  const look = `require('node:fs').existsSync('outbound.db-shm') && require('node:fs').writeFileSync('seen-shm', '')`;
  const argv = ['-e', `process.on('exit', () => { ${look} });${host};${look}`];
  const it = spawnSync(process.execPath, argv, { cwd: folder, encoding: 'utf8', timeout, killSignal: 'SIGKILL' });
  const late = (it.error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT';
  comesTo({ said: it.stdout.trim(), died: it.status !== 0, late, folder });
}

async function held({ world, meanwhile }: Scene, { verb, held: says }: Attack): Promise<void> {
  await world.ask('bad', '/new');
  await world.reply('bad', '@reply there');
  const { folder } = await world.session('bad');
  copyFileSync(PEER, join(folder, 'work', 'sqlite.ts'));
  const before = world.log.length;
  const view = await meanwhile(verb, () =>
    world.ask('bad', `@shell setsid /app/bun /s/work/sqlite.ts ${verb} /s/out /s/work/sqlite.ts`),
  );
  process.stderr.write(`${verb}: ${view.error ?? JSON.stringify(view)}\n`);
  assert.match(world.log.slice(before), says);
  const strange = readdirSync(join(folder, 'out')).filter((it) => /-(wal|shm)$/.test(it));
  assert.deepEqual(strange, []);
  await world.reply('bad', '/new');
  assert.equal(await world.reply('bad', '@reply back'), 'back');
}

export function sqliteAttacks(kind: Kind): void {
  test(`${kind}: no file that an agent makes of its own harms the host or others, as it does without the guard`, async (t) => {
    const stage = await scene(t, kind);
    for (const attack of ATTACKS) {
      await t.test(attack.verb, async (part) => {
        control(part, attack);
        await held(stage, attack);
      });
    }
  });
}

sqliteAttacks('bubblewrap');
