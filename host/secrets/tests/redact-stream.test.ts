import assert from 'node:assert/strict';
import { test } from 'node:test';
import { buffer } from 'node:stream/consumers';
import fc from 'fast-check';
import { formsOf } from '../redact.ts';
import { SecretRemover, withoutSecret, type Secret } from '../redact-stream.ts';

async function passed(secret: Secret, pieces: readonly Buffer[]): Promise<Buffer> {
  const remover = new SecretRemover(secret);
  for (const piece of pieces) remover.write(piece);
  remover.end();
  return buffer(remover);
}

/** Cuts after these many bytes, over and over. */
function cut(whole: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces = [];
  for (let at = 0, n = 0; at < whole.length; at += lengths[n++ % lengths.length] ?? 1)
    pieces.push(whole.subarray(at, at + (lengths[n % lengths.length] ?? 1)));
  return pieces;
}

for (const value of ['sk-ant-7Q2m+/=', 'aaaaaaaa', 'abababab', 'ключ-от-всего', 'p"q\\r/s+t=u é%&😀']) {
  const secret = { name: 'KEY', value };
  const forms = formsOf(value);

  test(`${JSON.stringify(value)}: however it is cut, what comes out is the same, and holds no form of it`, async () => {
    const pieces = fc.array(
      fc.oneof(fc.constantFrom(...forms), fc.constantFrom(...forms.map((it) => it.slice(0, -1))), fc.string()),
      { maxLength: 6 },
    );
    const lengths = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });
    await fc.assert(
      fc.asyncProperty(pieces, lengths, async (texts, sizes) => {
        const text = texts.join('').toWellFormed();
        const clean = (await passed(secret, cut(Buffer.from(text), sizes))).toString();
        assert.equal(clean, withoutSecret(text, secret));
        for (const part of clean.split('[KEY]')) assert.ok(!forms.some((form) => part.includes(form)), part);
      }),
    );
  });

  test(`${JSON.stringify(value)}: what cannot be its beginning is not kept waiting`, async () => {
    const remover = new SecretRemover(secret);
    const texts = [`before ${value}\n`, 'data: 1\n\n', `${value.slice(0, -1).toWellFormed()}\n`];
    for (const text of texts) {
      const came = new Promise<Buffer>((resolve) => remover.once('data', resolve));
      remover.write(text);
      assert.equal((await came).toString(), withoutSecret(text, secret));
    }
  });
}

test('a secret too short to be told from other text is left in, and nothing else is changed', async () => {
  const secret = { name: 'KEY', value: 'ab' };
  assert.equal(withoutSecret('ab', secret), 'ab');
  assert.equal((await passed(secret, [Buffer.from('ab')])).toString(), 'ab');
});
