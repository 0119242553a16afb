/** The doctor and what the launcher brings: in a checkout of its own, each thing broken for real and mended. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import type { Finding } from '../../host/doctor/check.ts';
import { Checkout } from '../world/checkout.ts';
import { killGroup } from '../world/kill.ts';

type Said = { code: number | null; ids: string[]; findings: Finding[]; err: string };

/** Set up, with nothing wrong. */
async function wholeCheckout(t: TestContext): Promise<Checkout> {
  const checkout = new Checkout(t);
  await checkout.run(['--version']);
  checkout.asked();
  return checkout;
}

async function doctor(checkout: Checkout, ...words: string[]): Promise<Said> {
  const { code, out, err } = await checkout.run(['doctor', '--json', ...words]);
  assert.notEqual(out, '', err);
  const { findings } = JSON.parse(out) as { findings: Finding[] };
  // What this machine's sandboxes are made with is another test's.
  const here = findings.filter(({ id }) => !id.startsWith('sandbox-'));
  return { code, err, findings: here, ids: here.map(({ id }) => id) };
}

const bunOf = ({ root }: Checkout): string => {
  const packages = join(root, 'runtime', 'node_modules', '@oven');
  return join(packages, readdirSync(packages)[0] ?? '', 'bin', 'bun');
};
const distOf = ({ root }: Checkout): string => {
  const all = join(root, 'runtime', 'dist');
  return join(all, readdirSync(all)[0] ?? '');
};

const CASES: readonly { name: string; breaks(it: Checkout): void; id: string; says: RegExp }[] = [
  { name: 'Bun missing', breaks: (it) => rmSync(bunOf(it)), id: 'bun-missing', says: /Bun is missing at / },
  {
    name: 'a Bun that does not run',
    breaks: (it) => writeFileSync(bunOf(it), 'no program', { mode: 0o644 }),
    id: 'bun-broken',
    says: /Bun does not run here/,
  },
  {
    name: 'another Bun than the pinned one',
    breaks: (it) => writeFileSync(bunOf(it), '#!/bin/sh\necho 9.9.9\n'),
    id: 'bun-other',
    says: /Bun is 9\.9\.9, .* 1\.4\.5/,
  },
  {
    name: 'a set-up that was not finished',
    breaks: ({ root }) => {
      rmSync(join(root, 'runner', 'node_modules', '.halfdoor'));
      rmSync(join(root, 'runtime', 'ready'));
    },
    id: 'set-up-unfinished',
    says: /not finished: the packages of the runner must still be brought/,
  },
  {
    name: 'packages of an older checkout',
    breaks: ({ root }) => writeFileSync(join(root, 'node_modules', '.halfdoor'), 'of before\n'),
    id: 'set-up-unfinished',
    says: /packages of host and CLI/,
  },
  {
    name: 'a package that was lost',
    breaks: ({ root }) => rmSync(join(root, 'node_modules', 'hono')),
    id: 'packages-missing',
    says: /missing or of another version: hono/,
  },
  {
    name: 'half a bundle',
    breaks: (it) => rmSync(join(distOf(it), 'reader.js')),
    id: 'bundle-missing',
    says: /reader\.js is missing/,
  },
];

for (const { name, breaks, id, says } of CASES) {
  test(`${name}: told without bringing anything, mended by --fix`, async (t) => {
    const checkout = await wholeCheckout(t);
    breaks(checkout);
    const told = await doctor(checkout);
    const finding = told.findings.find((it) => it.id === id);
    assert.deepEqual([told.code, told.err, checkout.asked()], [1, '', []]);
    assert.match(finding?.what ?? `no ${id} among ${told.ids.join()}`, says);
    assert.equal(finding?.next, './halfdoor doctor --fix');
    const mended = await doctor(checkout, '--fix');
    assert.match(mended.findings.find((it) => it.id === id)?.fixed ?? '', /finish setting up/);
    assert.deepEqual([mended.code, (await doctor(checkout)).ids], [0, []]);
  });
}

test('an install with nothing wrong: one line, nothing brought, no home made', async (t) => {
  const checkout = await wholeCheckout(t);
  const { code, out, err } = await checkout.run(['doctor']);
  assert.deepEqual([code, out, err], [0, 'Nothing is wrong (15 checks).\n', '']);
  assert.deepEqual([checkout.asked(), existsSync(join(checkout.folder, '.halfdoor'))], [[], false]);
  assert.match((await checkout.run(['doctor', '--all'])).out, /^(ok: [^]+?\n){15}Nothing is wrong \(15 checks\)\.\n$/);
});

test('a set-up killed before the doctor itself could run is finished by the launcher', async (t) => {
  const checkout = new Checkout(t);
  const { child, ended } = checkout.start(['--version'], { FAKE_NPM_HANG: '1' });
  while (!existsSync(join(checkout.folder, 'hanging'))) await new Promise((resolve) => setImmediate(resolve));
  killGroup(child.pid, 'SIGKILL');
  await ended;
  const { code, ids } = await doctor(checkout);
  assert.deepEqual([code, ids], [0, []]);
});

test('what a killed set-up left in runtime/lock is told and removed; an entry of the living stays', async (t) => {
  const checkout = await wholeCheckout(t);
  const folder = join(checkout.root, 'runtime', 'lock');
  const { child, ended } = checkout.start(['--version']);
  await ended; // its pid is free now
  mkdirSync(folder, { recursive: true });
  for (const name of [`${child.pid}`, `${child.pid}.log`, `${process.pid}`]) writeFileSync(join(folder, name), '');
  const told = await doctor(checkout);
  assert.deepEqual([told.code, told.ids], [1, ['set-up-lock-stale']]);
  assert.match((await doctor(checkout, '--fix')).findings[0]?.fixed ?? '', /removed/);
  assert.deepEqual([readdirSync(folder), (await doctor(checkout)).ids], [[`${process.pid}`], []]);
});
