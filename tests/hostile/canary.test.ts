// needs: userns
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { newestMessage, openModelEndpoint } from '../fakes/model-endpoint.ts';
import { openWorld } from '../world/host.ts';

const CANARY = 'sk-ant-canary-7Q2mX9wLr4Tb8ZkVn3';
const CHUNK_BYTES = 1024 * 1024;
const PAGE_BYTES = Number(execFileSync('getconf', ['PAGE_SIZE']));

/** Plain, hex, and base64 at each of the three places it can begin within a longer text. */
function forms(secret: string): Buffer[] {
  const based = [0, 1, 2].map((before) => {
    const text = Buffer.from(`${'x'.repeat(before)}${secret}`).toString('base64');
    return text.slice(before === 0 ? 0 : before + 1, -4);
  });
  const hex = Buffer.from(secret).toString('hex');
  return [secret, hex, hex.toUpperCase(), ...based].map((it) => Buffer.from(it));
}

const FORMS = forms(CANARY);
const holds = (bytes: Buffer): boolean => FORMS.some((form) => bytes.includes(form));

function parentOf(pid: number): number {
  try {
    return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return 0;
  }
}

/** The outer bubblewrap and everything below it. */
function insideOf(outer: number): number[] {
  const all = readdirSync('/proc').map(Number).filter(Boolean);
  const parents = new Map(all.map((pid) => [pid, parentOf(pid)]));
  const isBelow = (pid: number): boolean => {
    const parent = parents.get(pid) ?? 0;
    return parent === outer || (parent > 1 && isBelow(parent));
  };
  return [outer, ...all.filter(isBelow)];
}

/**
 * Where a mapping holds anything, by /proc/PID/pagemap (Linux, Documentation/admin-guide/mm/pagemap.rst: 8 bytes a page,
 * bit 63 of one in memory, bit 62 of one in swap). A page nobody touched holds nothing, and to read it is to make it.
 */
function* held(pagemap: number, from: number, to: number): Generator<[from: number, to: number]> {
  const bits = Buffer.alloc(((to - from) / PAGE_BYTES) * 8);
  readSync(pagemap, bits, 0, bits.length, (from / PAGE_BYTES) * 8);
  let begun = -1;
  for (let at = from; at <= to; at += PAGE_BYTES) {
    const here = at < to && (bits[((at - from) / PAGE_BYTES) * 8 + 7] ?? 0) >= 0x40;
    if (here && begun < 0) begun = at;
    if (here || begun < 0) continue;
    yield [begun, at];
    begun = -1;
  }
}

/** Whether any readable mapping of a process holds it; `read` counts the bytes that were looked at. */
function inMemory(pid: number): { found: boolean; read: number } {
  const fd = openSync(`/proc/${pid}/mem`, 'r');
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  const buffer = Buffer.alloc(CHUNK_BYTES + 256);
  let read = 0;
  let found = false;
  for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
    const range = /^([0-9a-f]+)-([0-9a-f]+) r\S+ \S+ \S+ \S+\s*(.*)$/.exec(line);
    if (!range || /^\[v(var|syscall|dso)/.test(range[3] ?? '')) continue;
    for (const [from, to] of held(pagemap, parseInt(range[1] ?? '', 16), parseInt(range[2] ?? '', 16))) {
      // Chunks overlap, so that nothing hides at a border.
      for (let at = from; at < to; at += CHUNK_BYTES) {
        const got = readOr0(fd, buffer, Math.min(to - at, buffer.length), at);
        read += got;
        found ||= holds(buffer.subarray(0, got));
      }
    }
  }
  closeSync(fd);
  closeSync(pagemap);
  return { found, read };
}

function readOr0(fd: number, buffer: Buffer, length: number, at: number): number {
  try {
    return readSync(fd, buffer, 0, length, at);
  } catch {
    // Gone since, or a device's: the kernel has nothing to show there.
    return 0;
  }
}

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((it) => it.isFile()).map((it) => join(it.parentPath, it.name));
}

async function hunt(t: TestContext, { env, key, keep }: Source): Promise<void> {
  const hang = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const look = `tr '\\0' '\\n' < /proc/self/environ; grep -rlsaF -e ${CANARY.slice(0, 8)} -e canar /s /tmp /etc /app /proc/1/environ /proc/2/environ | grep -v outbound; true`;
  const endpoint = await openModelEndpoint(
    'anthropic',
    [
      { status: 500, body: { error: { type: 'api_error', message: `you sent ${CANARY}` } } },
      { tool: 'shell', input: { command: look } },
      { after: hang.promise, text: '<message to="terminal">done</message>' },
      { status: 401, body: { error: { type: 'authentication_error', message: `invalid x-api-key ${CANARY}` } } },
    ],
    () => endpoint.asked.length === 3 && second.resolve(),
  );
  t.after(() => endpoint.close());
  const world = await openWorld(t, env);
  if (keep) assert.equal((await world.call('PUT', `/v1/secrets/${key}`, { value: CANARY })).status, 200);
  const { baseUrl } = endpoint;
  await world.createAgent({
    name: 'a',
    provider: 'direct',
    model: 'm',
    api: 'anthropic',
    key,
    baseUrl,
    sandbox: 'bubblewrap',
  });
  const id = await world.send('a', 'look around');
  await second.promise;
  assert.equal(endpoint.asked[0]?.headers['x-api-key'], CANARY, 'the host did not add the key');

  const { pid } = await world.session('a');
  const inside = insideOf(pid ?? 0);
  assert.ok(inside.length >= 3, `outer, init and runner: ${inside.join(' ')}`);
  for (const it of inside) {
    for (const file of ['environ', 'cmdline']) assert.equal(holds(readFileSync(`/proc/${it}/${file}`)), false, file);
    for (const fd of readdirSync(`/proc/${it}/fd`)) {
      assert.equal(holds(Buffer.from(readlinkSync(`/proc/${it}/fd/${fd}`))), false);
    }
    const { found, read } = inMemory(it);
    assert.ok(read > 100_000, `memory of ${it} could be read: ${read} bytes`);
    assert.equal(found, false, `memory of ${it}`);
  }
  // The same eyes see it where it does live.
  assert.equal(inMemory(world.pid).found, true);

  hang.resolve();
  const settled = await world.settled(id);
  assert.equal(settled.status, 'answered', JSON.stringify(settled));
  const seen = newestMessage(endpoint, 2);
  assert.match(seen, /HOME=/);
  assert.ok(!seen.includes('canar'), seen);
  assert.match((await world.ask('a', 'once more')).error ?? '', /refused the key/);
  const files = filesIn(world.home);
  for (const written of ['central.db', 'central.db-wal', 'outbound.db', 'inbound.db']) {
    assert.ok(
      files.some((path) => path.endsWith(`/${written}`)),
      written,
    );
  }
  for (const path of files) assert.equal(holds(readFileSync(path)), false, path);
  assert.equal(holds(Buffer.from(world.log)), false, 'log');
  assert.ok(world.log.includes(`[${key}]`));
}

type Source = { env: Record<string, string>; key: string; keep: boolean };

const SOURCES: Readonly<Record<string, Source>> = {
  'from the environment of the host': { env: { ANTHROPIC_API_KEY: CANARY }, key: 'ANTHROPIC_API_KEY', keep: false },
  'kept as a secret': { env: {}, key: 'MY_KEY', keep: true },
};

for (const [name, source] of Object.entries(SOURCES)) {
  test(`the key of the model endpoint, ${name}, is nowhere inside, and in nothing the host wrote`, (t) =>
    hunt(t, source));
}
