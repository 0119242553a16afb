/** Each lint against snippets it must catch and snippets it must let pass. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durable, leftOvers, moduleState, providerNames, sql } from './patterns.ts';
import { readSource, type Lint } from './source.ts';
import { fileNames, lockFiles, ownMachines, straightLine, type TreeFile, type TreeLint } from './tree.ts';
import { walls } from './walls.ts';

type Case = [path: string, text: string];

function caught(lint: Lint, cases: readonly Case[], number: number): void {
  for (const [path, text] of cases) {
    test(`${lint.name}: ${number === 0 ? 'passes' : 'caught'} in ${path}: ${text.slice(0, 60)}`, () => {
      const found = lint.run([readSource(path, text)]);
      assert.equal(found.length, number, JSON.stringify(found));
    });
  }
}

caught(
  walls,
  [
    ['protocol/x.ts', "import { Hono } from 'hono';"],
    ['protocol/x.ts', "import { homeAt } from '../host/home.ts';"],
    ['host/x.ts', "import { loop } from '../runner/loop.ts';"],
    ['host/tests/x.test.ts', "const { loop } = await import('../../runner/loop.ts');"],
    ['runner/x.ts', "import { homeAt } from '../host/home.ts';"],
    ['runner/providers/x.ts', "import { InboundWriter } from '@halfdoor/protocol/host';"],
    ['runner/x.ts', "import { SessionFile } from '../protocol/sqlite.ts';"],
    ['host/x.ts', "import { OutboundWriter } from '@halfdoor/protocol/runner';"],
    ['host/x.ts', "export { openFile } from '../protocol/sqlite.ts';"],
    ['host/files/outbox.ts', "import { openPlain } from './open.ts';"],
    ['host/outbound/collect.ts', "import { readPiece } from '../files/piece.ts';"],
    ['host/outbound/collect.ts', "import { openOutbound } from '@halfdoor/protocol/reader';"],
    ['cli/x.ts', "import { openHost } from '../host/host.ts';"],
    ['cli/verbs/x.ts', "import '../../host/main.ts';"],
    ['host/channels/slack.ts', "import { accept } from '../inbound/accept.ts';"],
    ['host/channels/slack.ts', "import { LIMITS } from '@halfdoor/protocol/limits';"],
    ['host/channels/slack/send.ts', "import { x } from '../terminal.ts';"],
    ['protocol/x.ts', 'import {\n  a, // why\n  b,\n} from "kysely";'],
  ],
  1,
);
caught(
  walls,
  [
    ['protocol/x.ts', "import { connect } from 'node:net';\nimport { LIMITS } from './limits.ts';"],
    ['runner/x.ts', "import { Session } from '@halfdoor/protocol/runner';\nimport { generateText } from 'ai';"],
    ['runner/tests/x.test.ts', "import { InboundWriter } from '@halfdoor/protocol/host';"],
    ['host/files/piece.ts', "import { openPlain } from './open.ts';"],
    ['host/outbound/outbound-files.ts', "import { openOutbound } from '@halfdoor/protocol/reader';"],
    [
      'cli/x.ts',
      "import type { AgentView } from '../host/api/contract.ts';\nimport { homeAt } from '../host/home.ts';",
    ],
    [
      'host/channels/slack.ts',
      "import type { Address } from '@halfdoor/protocol/message';\nimport type { Channel } from './channel.ts';",
    ],
    [
      'host/channels/slack/send.ts',
      "import { format } from './format.ts';\nimport type { Channel } from '../channel.ts';",
    ],
    [
      'host/x.ts',
      "// import { loop } from '../runner/loop.ts';\nconst s = `import { loop } from '../runner/loop.ts'`;",
    ],
  ],
  0,
);

caught(
  sql,
  [
    ['host/inbound/accept.ts', 'db.exec("select id from events where id = ?");'],
    ['host/x.ts', 'const s = `\n  insert into deliveries (id) values (?)`;'],
    ['runner/x.ts', "run('update meta set run = :run');"],
    ['cli/x.ts', "run('DELETE FROM agents');"],
    ['host/x.ts', "run('create table if not exists t (a)');"],
  ],
  1,
);
caught(
  sql,
  [
    ['host/db/central.ts', "run('select a from b ');"],
    ['protocol/inbound.ts', "run('delete from messages_in where seq < ?');"],
    ['host/x.ts', "say('select one of these'); // select a from b where c\ndb.selectFrom('agents');"],
  ],
  0,
);

caught(
  providerNames,
  [
    ['runner/loop.ts', "if (name === 'claude') x();"],
    ['runner/tools/send.ts', 'const p = "mock";'],
  ],
  1,
);
caught(
  providerNames,
  [
    ['runner/providers/mock.ts', "const p = 'mock';"],
    ['runner/loop.ts', "say('a mock turtle');"],
  ],
  0,
);

caught(
  moduleState,
  [
    ['host/x.ts', 'let count = 0;'],
    ['host/x.ts', 'export let count = 0;'],
    ['runner/x.ts', 'const seen = new Map<string, number>();'],
    ['host/x.ts', 'export const open: Set<string> = new Set();'],
    ['cli/x.ts', 'const queue: string[] = [];'],
    ['cli/x.ts', 'const cache: Record<string, string> = {};'],
  ],
  1,
);
caught(
  moduleState,
  [
    [
      'host/x.ts',
      "const NAMES: ReadonlySet<string> = new Set(['a']);\nconst TABLE = { a: 1 };\nconst LIST = ['a'] as const;",
    ],
    ['host/x.ts', 'function f() {\n  let n = 0;\n  const seen = new Map();\n  return seen.size + n;\n}'],
    ['host/tests/x.test.ts', 'let n = 0;'],
  ],
  0,
);

caught(
  durable,
  [
    ['host/x.ts', "db.exec('commit');"],
    ['host/x.ts', 'fsyncSync(fd);'],
    ['runner/x.ts', 'await rename(from, to);'],
    ['host/x.ts', 'file.commit(() => 1);'],
    ['host/x.ts', "durable('accept', () => 1);\nrenameSync(a, b);"],
    ['host/x.ts', "function sync() {\n  fsyncSync(fd);\n}\ndurable('accept', () => sync());\nsync();"],
    ['host/x.ts', 'export function sync() {\n  fsyncSync(fd);\n}'],
  ],
  1,
);
caught(
  durable,
  [
    ['host/x.ts', "durable('accept', () => {\n  if (a) (b());\n  renameSync(a, b);\n});"],
    ['host/x.ts', "function sync() {\n  fsyncSync(fd);\n}\ndurable('accept', () => sync());"],
    ['host/x.ts', "deps.central.commit('accept', async (tx) => tx);\ndb.exec('begin');"],
    ['protocol/sqlite.ts', "db.exec('commit');"],
    ['host/tests/x.test.ts', 'renameSync(a, b);'],
  ],
  0,
);

caught(
  leftOvers,
  [
    ['host/tests/x.test.ts', "test.only('x', () => {});"],
    ['host/tests/x.test.ts', "describe.skip('x', () => {});"],
    ['host/x.ts', ['// TO', 'DO: later'].join('')],
  ],
  1,
);
caught(leftOvers, [['host/tests/x.test.ts', "test('only', () => array.skip(1));"]], 0);

function inTree(lint: TreeLint, name: string, files: TreeFile[], number: number): void {
  test(`${lint.name}: ${name}`, () => assert.equal(lint.run(files).length, number, JSON.stringify(lint.run(files))));
}

for (const path of ['host/utils.ts', 'cli/string-helpers.ts', 'host/common/x.ts', 'host/session-manager.ts']) {
  inTree(fileNames, path, [{ path, text: '' }], 1);
}
inTree(fileNames, 'names that say something', [{ path: 'host/outbound/deliver.ts', text: '' }], 0);
inTree(ownMachines, 'a path of one machine', [{ path: 'x.md', text: ['see /wo', 'rk/main/x'].join('') }], 1);
inTree(ownMachines, 'work/ inside the sandbox', [{ path: 'x.ts', text: "'/s/work/home'" }], 0);
inTree(
  lockFiles,
  'resolved in npm',
  [{ path: 'package-lock.json', text: '"resolved": "https://r.example/x.tgz",' }],
  1,
);
inTree(lockFiles, 'a tarball in Bun', [{ path: 'runner/bun.lock', text: '["a@1", "http://r.example/a.tgz"]' }], 1);
inTree(
  lockFiles,
  'no host',
  [{ path: 'package-lock.json', text: '"resolved": "cli",\n"url": "https://opencollective.com/x"' }],
  0,
);

const LINE = Array.from({ length: 9 }, (_, n) => ({ path: `host/x${n}.ts`, text: 'a\n'.repeat(300) }));
const page = (paths: string[]): TreeFile => ({
  path: 'ARCHITECTURE.md',
  text: `<!-- straight line -->\n${paths.map((it) => `- \`${it}\``).join('\n')}\n<!-- end -->\n`,
});
const PATHS = LINE.map(({ path }) => path);
inTree(straightLine, 'no page', LINE, 1);
inTree(straightLine, 'no line on it', [...LINE, { path: 'ARCHITECTURE.md', text: 'host/x1.ts' }], 1);
inTree(straightLine, 'true and short enough', [...LINE, page(PATHS)], 0);
inTree(straightLine, 'a path that moved', [...LINE, page([...PATHS, 'host/gone.ts'])], 1);
inTree(
  straightLine,
  'too long',
  [...LINE, { path: 'host/y.ts', text: 'a\n'.repeat(301) }, page([...PATHS, 'host/y.ts'])],
  1,
);

test('strings, templates, comments and regular expressions are told apart', () => {
  const source = readSource('x.ts', "const a = /['\"]/.test(b) ? `x ${f('y')} z` : c / d; // it's\nlet e = 'let f';");
  assert.deepEqual(
    source.strings.map(({ value }) => value),
    ['y', 'x ', ' z', 'let f'].toSorted((p, q) => source.text.indexOf(p) - source.text.indexOf(q)),
  );
  assert.match(source.code, /\nlet e = ' {5}';$/);
});
