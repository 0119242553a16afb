// needs: userns
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test, type TestContext } from 'node:test';
import { Trash } from '../../host/files/remove.ts';
import { bring, filesOf, refusals, rows } from '../world/files.ts';
import { openWorld, type World } from '../world/host.ts';

/** Writes messages into outbound.db by hand, as one who has taken the agent over: each argument is a content column. */
const FORGER = [
  'const {Database}=require("bun:sqlite");const d=new Database("/s/out/outbound.db");const q=(s,...v)=>d.query(s).all(...v);',
  'q("pragma busy_timeout=5000");q("pragma locking_mode=exclusive");q("pragma journal_mode=persist");',
  'q("select count(*) from sqlite_schema");q("pragma locking_mode=normal");q("select count(*) from sqlite_schema");',
  'd.exec("begin immediate");const [m]=q("select run,seq_high from meta");let n=m.seq_high;',
  'for(const c of process.argv.slice(2)){n+=1+n%2;q("insert into messages_out values(?,?,?,?,?,?,?,?,?,?)",n,',
  'crypto.randomUUID(),m.run,"t","[]","message","terminal",null,c,new Date().toISOString())}',
  'q("update meta set seq_high=?",n);d.exec("commit")',
].join('');

type Taken = {
  world: World;
  run(command: string): Promise<string>;
  /** Hands the host messages with these files, by hand, and waits until it has looked at them. */
  forge(...files: string[][]): Promise<void>;
};

/** An agent that has been taken over, and beside it one that has a secret. */
async function taken(t: TestContext): Promise<Taken> {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a', sandbox: 'bubblewrap' });
  await world.reply('a', `@write forger.js ${FORGER}\n@reply ready`);
  const run = (command: string): Promise<string> => world.reply('a', `@shell ${command}`);
  const forge = async (...files: string[][]): Promise<void> => {
    const contents = files.map((it) => quoted(JSON.stringify({ text: 'look', files: it })));
    assert.equal(await run(`/app/bun forger.js ${contents.join(' ')} && echo forged`), 'forged');
    await run('echo looked at');
  };
  return { world, run, forge };
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** What has left the sandbox, by the copies the host has made. */
const copies = (world: World): string[] =>
  readdirSync(join(world.home, 'outbox'), { recursive: true, withFileTypes: true })
    .filter((it) => it.isFile())
    .map((it) => readFileSync(join(it.parentPath, it.name), 'utf8'));

test('a plain file that was put there by hand is sent: what follows is refused for what it is', async (t) => {
  const { world, run, forge } = await taken(t);
  await run('echo hello > /s/out/files/x');
  await forge(['x']);
  assert.deepEqual(copies(world), ['hello\n']);
  assert.deepEqual(refusals(world), []);
});

test('links, pipes, sockets, second names and folders in out/files/ are not opened', async (t) => {
  const { world, run, forge } = await taken(t);
  await world.createAgent({ name: 'b', sandbox: 'bubblewrap' });
  await world.reply('b', '@shell echo secret-of-b > /s/out/files/secret');
  const { id } = await world.session('b');
  // As the reader sees them, which has the out/ folders of all sessions.
  const links = { other: `/out/${id}/files/secret`, near: `../../${id}/files/secret`, self: '/proc/self/environ' };
  for (const [name, to] of Object.entries(links)) await run(`ln -s ${to} /s/out/files/${name}`);
  await run('mkdir /s/out/files/dir; mkfifo /s/out/files/pipe; cd /s/out/files; echo two > one; ln one two');
  await run(`perl -MSocket -e 'socket(S,AF_UNIX,SOCK_STREAM,0);bind(S,sockaddr_un("/s/out/files/socket"))or die'`);
  assert.match(
    await run('mknod /s/out/files/null c 1 3 2>&1; ln /s/work/forger.js /s/out/files/hard 2>&1'),
    /mknod.*\n.*ln/s,
  );
  const names = [...Object.keys(links), 'dir', 'pipe', 'socket', 'one', 'two', 'none'];
  await forge(...names.map((it) => [it]));
  assert.deepEqual(copies(world), []);
  const said = refusals(world).join('\n');
  for (const [name, why] of [
    ...Object.keys(links).map((it) => [it, 'it is a link']),
    ['dir', 'it is not a plain file'],
    ['pipe', 'it is not a plain file'],
    ['socket', 'it is not a plain file'],
    ['one', 'it has a second name'],
    ['two', 'it has a second name'],
    ['none', 'there is no such file'],
  ]) {
    assert.ok(said.includes(`file "${name}" was not taken: ${why}`), `${name}: ${said}`);
  }
  assert.doesNotMatch(world.log, /read took too long/);
});

test('a name that leads elsewhere, or lies, is refused with its message; the agent is told', async (t) => {
  const { world, run, forge } = await taken(t);
  await run('echo x > /s/out/files/x');
  const names = ['..', '.', '', '../outbound.db', '/etc/passwd', 'a/b', 'a\nb', 'a\u202eb', 'a\0b', 'n'.repeat(256)];
  await forge(
    ...names.map((it) => [it]),
    ['x', 'x'],
    Array.from({ length: 11 }, (_, n) => `${n}`),
  );
  assert.deepEqual(copies(world), []);
  assert.equal(refusals(world).length, names.length + 2, refusals(world).join('\n'));
  assert.equal(rows(world, "select id from events where kind = 'notice'").length, names.length + 2);
});

test('a file that is swapped for a link again and again never lets the other one out', async (t) => {
  const { world, run, forge } = await taken(t);
  await world.createAgent({ name: 'b', sandbox: 'bubblewrap' });
  await world.reply('b', '@shell yes secret-of-b | head -c 3000000 > /s/out/files/secret');
  const { id } = await world.session('b');
  const swap =
    `cd /s/out/files; yes mine | head -c 3000000 > /s/out/files/.a; ln -s ../../${id}/files/secret .b; ` +
    `: > up; while [ -e up ]; do cp -P .b .c; mv -f .c x; cp .a .c; mv -f .c x; done`;
  await run(`setsid sh -c ${quoted(swap)} >/dev/null 2>&1 & while [ ! -e /s/out/files/up ]; do :; done`);
  for (let n = 0; n < 4; n++) await forge(...Array.from({ length: 10 }, () => ['x']));
  await run('rm /s/out/files/up');
  const got = copies(world);
  assert.equal(got.length + refusals(world).length, 40);
  for (const content of got) assert.ok(!content.includes('secret-of-b'));
  assert.ok(refusals(world).length > 0, 'it was never caught in the act');
});

test('what is too large is refused by its size, holes included; thousands beside it cost nobody anything', async (t) => {
  const { world, run, forge } = await taken(t);
  await run('truncate -s 53477376 /s/out/files/holes; echo x > /s/out/files/x');
  assert.match(await run('truncate -s 1T vast 2>&1; rm vast'), /too large|File size limit/i);
  assert.equal(await run('cd /s/out/files && seq 10000 | xargs touch && ls | wc -l'), '10002');
  await forge(['holes'], ['x']);
  assert.deepEqual(copies(world), ['x\n']);
  assert.match(refusals(world).join('\n'), /"holes" was not taken: it has 53477376 bytes; at most 52428800/);
});

test('what comes with a message is read-only inside, and so is the folder around it', async (t) => {
  const { world, run } = await taken(t);
  const view = await bring(world, 'a', '@attached', [{ name: 'note.txt', content: 'as it came' }]);
  assert.equal(view.replies[0]?.text, 'as it came');
  const path = `/s/in/files/${view.id}/note.txt`;
  const attacks = [
    `echo more >> ${path}`,
    `chmod 777 ${path}`,
    `rm ${path}`,
    `mv ${path} /s/work/`,
    `ln ${path} /s/work/same`,
    `touch /s/in/files/new`,
    `ln -s /etc/passwd /s/in/files/${view.id}/link`,
    `perl -e 'open F, "+<", "${path}" or exit 1'`,
  ];
  for (const attack of attacks) {
    assert.equal(await run(`(${attack}) 2>/dev/null && echo done || echo refused`), 'refused', attack);
  }
  assert.equal(readFileSync(join(world.home, 'inbox', view.id, 'note.txt'), 'utf8'), 'as it came');
});

test('whatever an agent leaves behind is removed with it: deep, closed, nameless, linked', async (t) => {
  const { world, run } = await taken(t);
  writeFileSync(join(world.folder, 'bystander'), 'stays');
  await run(`perl -e 'for(1..3000){mkdir "deep"x20;chdir "deep"x20 or die}' && echo dug`);
  await run(
    'mkdir -p shut/in && echo x > shut/in/x && chmod 0 shut/in shut; mkdir -p /s/out/files/d/d && chmod 0 /s/out/files/d',
  );
  await run(
    `perl -e 'open F,">","\\xff\\xfe\\n";mkdir "\\xff"' ; mkfifo pipe; ln -s ${world.folder} out; ln -s / root`,
  );
  const { folder, id } = await world.session('a');
  const { status } = await world.call('DELETE', '/v1/agents/a');
  assert.equal(status, 200);
  assert.doesNotMatch(world.log, /not removed/);
  for (const left of [folder, join(world.home, 'out', id)]) assert.equal(existsSync(left), false);
  assert.deepEqual(readdirSync(join(world.home, 'trash')), []);
  assert.equal(readFileSync(join(world.folder, 'bystander'), 'utf8'), 'stays');
});

/** Puts a link in the place of a folder and the folder back, many times. */
const SWAPPER = `
  const { renameSync, symlinkSync, unlinkSync, mkdirSync } = require('node:fs');
  const [, place, victim] = process.argv;
  process.stdout.write('up\\n');
  for (let n = 0; n < 20000; n++) {
      try { mkdirSync(place + '/d'); } catch {}
    try { renameSync(place + '/d', place + '/e'); } catch {}
      try { symlinkSync(victim, place + '/d'); } catch {}
      try { unlinkSync(place + '/d'); renameSync(place + '/e', place + '/d'); } catch {}
  }`;

test('a folder that is swapped for a link while it is removed leads nowhere', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'hd-trash-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const victim = join(folder, 'victim');
  mkdirSync(victim);
  for (let n = 0; n < 50; n++) writeFileSync(join(victim, `${n}`), 'x');
  const place = join(folder, 'place');
  mkdirSync(place);
  // It has the folder open and follows it wherever it is moved to.
  const swapper = spawn(process.execPath, ['-e', SWAPPER, '.', victim], {
    cwd: place,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(createInterface({ input: swapper.stdout }), 'line');
  const trash = new Trash(join(folder, 'trash'));
  trash.discard(place);
  await Promise.all([trash.empty(), once(swapper, 'exit')]);
  assert.equal(readdirSync(victim).length, 50);
  await trash.empty();
  assert.deepEqual(readdirSync(join(folder, 'trash')), []);
});

test('a file sent through the tool has crossed all of this', async (t) => {
  const { world } = await taken(t);
  const view = await world.ask('a', `@write f.txt hi\n@tool send_file {"to":"terminal","path":"f.txt"}`);
  assert.equal(readFileSync(filesOf(view)[0]?.path ?? '', 'utf8'), 'hi');
});
