import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeDurable } from '@halfdoor/protocol/durable';
import { systemClock } from '../../clock.ts';
import { Central } from '../../db/central.ts';
import { makeLog } from '../../log.ts';
import { Refusal } from '../../refusal.ts';
import { KEY_BYTES, makeKey, readKey } from '../key-file.ts';
import { Redactor } from '../redact.ts';
import { seal, unseal } from '../seal.ts';
import { Secrets } from '../secrets.ts';

const UID = process.getuid?.() ?? 0;
const VALUE = 'sk-a-value-of-some-length';

type Stage = {
  folder: string;
  keyFile: string;
  central: Central;
  open(env?: Record<string, string>): Promise<Secrets>;
};

async function stage(t: TestContext): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'hd-secrets-'));
  const durable = makeDurable();
  const central = await Central.open(join(folder, 'central.db'), durable, systemClock);
  t.after(async () => {
    await central.close();
    rmSync(folder, { recursive: true });
  });
  const keyFile = join(folder, 'secrets.key');
  let n = 0;
  const open = (environment: Record<string, string> = {}): Promise<Secrets> =>
    Secrets.open({
      central,
      keyFile,
      uid: UID,
      ids: () => `id-${(n += 1)}`,
      now: () => '2026-01-01T00:00:00.000Z',
      random: randomBytes,
      durable,
      log: makeLog(
        () => undefined,
        () => new Date(),
        (text) => text,
      ),
      redactor: new Redactor(),
      environment,
    });
  return { folder, keyFile, central, open };
}

const refusal = (said: RegExp, next: RegExp) => (error: unknown) => {
  assert.ok(error instanceof Refusal, String(error));
  assert.match(error.message, said);
  assert.match(error.next, next);
  return true;
};

test('a secret is there at once, after opening again, until it is removed; the environment comes after it', async (t) => {
  const { open, keyFile } = await stage(t);
  const secrets = await open({ OPENAI_API_KEY: 'from-the-environment' });
  assert.deepEqual(secrets.lookUp('OPENAI_API_KEY'), { ok: true, value: 'from-the-environment' });
  assert.equal((await secrets.list())[0]?.from, 'environment');
  await secrets.set('OPENAI_API_KEY', `${VALUE}\n`, 'local:1');
  assert.deepEqual(secrets.lookUp('OPENAI_API_KEY'), { ok: true, value: VALUE });
  const again = await open({ OPENAI_API_KEY: 'from-the-environment' });
  assert.deepEqual(again.lookUp('OPENAI_API_KEY'), { ok: true, value: VALUE });
  assert.deepEqual(await again.list(), [
    { name: 'OPENAI_API_KEY', from: 'kept', updatedAt: '2026-01-01T00:00:00.000Z', usedBy: [] },
  ]);
  await again.remove('OPENAI_API_KEY', 'local:1');
  assert.deepEqual(again.lookUp('OPENAI_API_KEY'), { ok: true, value: 'from-the-environment' });
  await assert.rejects(
    again.remove('OPENAI_API_KEY', 'local:1'),
    refusal(/from its environment/, /Start the host again/),
  );
  await assert.rejects(again.remove('OTHER', 'local:1'), refusal(/no secret OTHER/, /secrets list/));
  const { mode, size } = statSync(keyFile);
  assert.deepEqual([mode & 0o777, size], [0o600, KEY_BYTES]);
});

test('central holds no value, names who set and removed it, and shows no row under another name', async (t) => {
  const { central, folder, open } = await stage(t);
  const secrets = await open();
  await secrets.set('A', VALUE, 'local:7');
  await secrets.set('B', 'another-value', 'local:7');
  await secrets.remove('B', 'local:8');
  const audit = await central.read.selectFrom('audit').select(['actor', 'action', 'target', 'verdict']).execute();
  assert.deepEqual(
    audit.map((row) => ({ ...row })),
    [
      { actor: 'local:7', action: 'set_secret', target: 'A', verdict: 'allow' },
      { actor: 'local:7', action: 'set_secret', target: 'B', verdict: 'allow' },
      { actor: 'local:8', action: 'remove_secret', target: 'B', verdict: 'allow' },
    ],
  );
  for (const name of readdirSync(folder)) {
    const bytes = readFileSync(join(folder, name));
    for (const encoding of ['utf8', 'hex', 'base64'] as const) {
      assert.ok(!bytes.includes(Buffer.from(VALUE).toString(encoding)), name);
    }
  }
  await central.commit('secret', (tx) =>
    tx.updateTable('secrets').set({ name: 'C' }).where('name', '=', 'A').execute(),
  );
  const swapped = (await open()).lookUp('C');
  assert.ok(!swapped.ok && /the secret C cannot be opened/.test(swapped.fault));
  assert.equal(swapped.next, 'Set it: ./halfdoor secrets set C');
});

test('a key that is lost: each secret says so, the rest goes on, setting it again mends it', async (t) => {
  const { keyFile, open } = await stage(t);
  const before = await open();
  await before.set('A', VALUE, 'local:1');
  await before.set('B', VALUE, 'local:1');
  rmSync(keyFile);
  const secrets = await open({ ANTHROPIC_API_KEY: 'e' });
  assert.equal(secrets.lookUp('A').ok, false);
  assert.equal(secrets.lookUp('ANTHROPIC_API_KEY').ok, true);
  await secrets.set('A', VALUE, 'local:1');
  const after = await open();
  assert.deepEqual([after.lookUp('A').ok, after.lookUp('B').ok], [true, false]);
});

test('a key file that is not ours alone is refused with what to do, and nothing is made in its place', async (t) => {
  const { folder, keyFile, open } = await stage(t);
  await (await open()).set('A', VALUE, 'local:1');
  const good = readFileSync(keyFile);
  const spoil: [said: RegExp, next: RegExp, how: () => void][] = [
    [/can be read by others/, /chmod 600/, () => chmodSync(keyFile, 0o640)],
    [/holds 31 bytes instead of 32/, /Put back/, () => writeFileSync(keyFile, good.subarray(1))],
    [/holds 0 bytes/, /Put back/, () => writeFileSync(keyFile, '')],
    [/is not a file/, /Put back/, () => (rmSync(keyFile), mkdirSync(keyFile, 0o700))],
    [
      /cannot be opened \(ELOOP\)/,
      /Put back/,
      () => {
        rmSync(keyFile, { recursive: true });
        writeFileSync(join(folder, 'elsewhere'), good, { mode: 0o600 });
        symlinkSync(join(folder, 'elsewhere'), keyFile);
      },
    ],
  ];
  for (const [said, next, how] of spoil) {
    rmSync(keyFile, { recursive: true });
    writeFileSync(keyFile, good, { mode: 0o600 });
    how();
    assert.throws(() => readKey(keyFile, UID), refusal(said, next));
    const secrets = await open();
    assert.equal(secrets.lookUp('A').ok, false);
    await assert.rejects(secrets.set('A', VALUE, 'local:1'), refusal(said, next));
  }
  rmSync(keyFile);
  writeFileSync(keyFile, good, { mode: 0o600 });
  assert.throws(() => readKey(keyFile, UID + 1), refusal(/belongs to user/, /Put back/));
  assert.deepEqual((await open()).lookUp('A'), { ok: true, value: VALUE });
});

test('a key is made once: never over another, and a half-made one of a crash is no key', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hd-key-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'secrets.key');
  writeFileSync(`${path}.new`, 'half');
  assert.equal(readKey(path, UID), null);
  const steps: string[] = [];
  const key = makeKey(
    path,
    randomBytes,
    makeDurable((step, edge) => steps.push(`${edge} ${step}`)),
  );
  assert.deepEqual(readKey(path, UID), key);
  assert.deepEqual(steps, ['before secrets-key', 'after secrets-key']);
  assert.throws(() => makeKey(path, randomBytes, makeDurable()), /EEXIST/);
  assert.deepEqual(readKey(path, UID), key);
  renameSync(path, join(folder, 'moved'));
  assert.equal(readKey(path, UID), null);
});

test('sealing: each time other bytes, opened only whole, by its key and under its name', () => {
  const key = randomBytes(KEY_BYTES);
  const one = seal(key, 'A', VALUE, randomBytes(12));
  const two = seal(key, 'A', VALUE, randomBytes(12));
  assert.notDeepEqual(one.sealed, two.sealed);
  assert.equal(unseal(key, 'A', one), VALUE);
  assert.equal(unseal(key, 'B', one), null);
  assert.equal(unseal(randomBytes(KEY_BYTES), 'A', one), null);
  assert.equal(unseal(key, 'A', { ...one, nonce: two.nonce }), null);
  assert.equal(unseal(key, 'A', { ...one, nonce: one.nonce.subarray(1) }), null);
  for (let at = 0; at < one.sealed.length; at++) {
    const damaged = Uint8Array.from(one.sealed, (byte, n) => (n === at ? byte ^ 1 : byte));
    assert.equal(unseal(key, 'A', { ...one, sealed: damaged }), null);
    assert.equal(unseal(key, 'A', { ...one, sealed: one.sealed.subarray(0, at) }), null);
  }
});

test('names and values that are none are refused, and not repeated', async (t) => {
  const { open } = await stage(t);
  const secrets = await open();
  for (const name of ['', 'a', 'sk-ant-value', '1A', 'A-B', `A${'B'.repeat(64)}`, 'A\n', 'Ä', null, 1, '__proto__']) {
    await assert.rejects(secrets.set(name, VALUE, 'x'), refusal(/name is 1 to 64 capital/, /OPENAI_API_KEY/));
  }
  for (const value of ['', '\n', 'a\nb', 'a\rb', 'a\0b', '\ud800abc', 'x'.repeat(16 * 1024 + 1), null, 7, undefined]) {
    await assert.rejects(secrets.set('A', value, 'x'), (error) => {
      assert.ok(error instanceof Refusal && error.code === 'bad-input');
      assert.ok(!error.message.includes('abc') && !error.message.includes('xxx'));
      return true;
    });
  }
  await secrets.set('A', 'x'.repeat(16 * 1024), 'x');
  await secrets.set(`A${'B'.repeat(63)}`, '1', 'x');
  assert.equal((await secrets.list()).length, 2);
});
