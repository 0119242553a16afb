import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { appendFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ROOT } from '../../../tests/world/programs.ts';
import { IMAGE_LABELS, IMAGE_SOURCES, misfit, neededImage } from '../needed.ts';

/** The sources of the image alone, in a folder of their own. */
function sources(t: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'hd-image-'));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  for (const path of IMAGE_SOURCES) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    cpSync(join(ROOT, path), join(root, path));
  }
  return root;
}

test('its name is another one when any of its sources is, and the same when none is', (t) => {
  const root = sources(t);
  const first = neededImage(root);
  assert.match(first.name, /^halfdoor:[0-9a-f]{12}$/);
  assert.deepEqual(neededImage(root), first);
  const names = new Set([first.name]);
  for (const path of IMAGE_SOURCES) {
    appendFileSync(join(root, path), '\n');
    names.add(neededImage(root).name);
  }
  assert.equal(names.size, IMAGE_SOURCES.length + 1);
});

test('two checkouts of the same content have an image each', (t) => {
  const [one, other] = [neededImage(sources(t)), neededImage(sources(t))];
  assert.notEqual(one.name, other.name);
  assert.notEqual(one.checkout, other.checkout);
  assert.equal(one.runnerLock, other.runnerLock);
});

test('the hash of the lock is what sha256sum says of it', (t) => {
  const root = sources(t);
  const hash = createHash('sha256')
    .update(readFileSync(join(root, 'runner/bun.lock')))
    .digest('hex');
  assert.equal(neededImage(root).runnerLock, hash.slice(0, 12));
});

test('an image for another runner, and one that says none, do not fit, and the sentence says what to do', (t) => {
  const needed = neededImage(sources(t));
  assert.equal(misfit('x:1', { [IMAGE_LABELS.runnerLock]: needed.runnerLock }, needed), null);
  const other = misfit('x:1', { [IMAGE_LABELS.runnerLock]: '0123456789ab' }, needed);
  assert.match(other?.fault ?? '', /^x:1 was built for another runner .*was 0123456789ab, here it is [0-9a-f]{12}\)$/);
  assert.equal(other?.next, './halfdoor image build');
  assert.match(misfit('x:1', {}, needed)?.fault ?? '', /^x:1 was not built from image\/Dockerfile/);
});

test('the Dockerfile puts every label on, and takes a prefix of none of ours for another', () => {
  const text = readFileSync(join(ROOT, 'image/Dockerfile'), 'utf8');
  for (const label of Object.values(IMAGE_LABELS)) assert.ok(text.includes(`${label}=\${`), label);
});
