// needs: userns
import assert from 'node:assert/strict';
import { chmodSync, lstatSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { allow, give, given, makeFolder, refused } from '../world/folders.ts';
import { openWorld, type World } from '../world/host.ts';
import { bunPath, ROOT } from '../world/programs.ts';

/** An agent that has been taken over, with a folder of a person. Beside the folder lies what it must not have. */
async function withFolder(t: TestContext) {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a', sandbox: 'bubblewrap' });
  writeFileSync(join(world.folder, 'beside'), 'not for agents');
  const project = await given(world, 'a', 'project');
  return { world, project, run: (command: string) => world.reply('a', `@shell ${command}`) };
}

/** The run of every agent ends; what follows is a new one. */
const newRuns = (world: World): Promise<void> => world.restart('SIGTERM');

async function failure(world: World, agent: string): Promise<string> {
  const view = await world.ask(agent, '@shell echo got in');
  assert.equal(view.status, 'failed', JSON.stringify(view));
  assert.match(view.next ?? '', /--no-dir/);
  return view.error ?? '';
}

test('of the machine only the folder is there: neither what lies beside it nor what lies above', async (t) => {
  const { world, run } = await withFolder(t);
  assert.equal(readFileSync(join(world.folder, 'beside'), 'utf8'), 'not for agents');
  assert.equal(await run('ls /s/folder/..'), 'agent\nfolder\nin\nout\nrun\nwork');
  assert.match(await run('cat ../beside /s/folder/../beside 2>&1; true'), /^(cat: .*No such file.*\n?){2}$/);
  assert.match(await run(`ls -d ${world.folder} ${world.home} 2>&1; true`), /^(ls: .*No such file.*\n?){2}$/);
  assert.match(await run('grep -rs "not for [a]gents" / --exclude-dir=proc --exclude-dir=usr; echo end'), /^end$/);
});

test('a link that leads out of the folder leads nowhere inside, whoever made it', async (t) => {
  const { world, project, run } = await withFolder(t);
  symlinkSync('../beside', join(project, 'near'));
  symlinkSync(join(world.home, 'central.db'), join(project, 'far'));
  assert.match(
    await run('ln -s ../beside own; ln -s / root; cat near far own root/etc/shadow 2>&1; true'),
    /^(cat: .*\n?){4}$/,
  );
  // On the host the same link opens what lies beside: what keeps it in is the wall.
  assert.equal(readFileSync(join(project, 'near'), 'utf8'), 'not for agents');
  assert.match(await run('ln ../beside hard 2>&1; ln /usr/bin/env hard 2>&1; true'), /^(ln: .*\n?){2}$/);
});

test('the place where it is mounted can be neither moved, nor taken away, nor covered', async (t) => {
  const { run } = await withFolder(t);
  for (const attack of [
    'mv /s/folder /s/work/x',
    'rmdir /s/folder',
    'umount /s/folder',
    'mount --bind / /s/folder',
    'mknod /s/folder/sda b 8 0',
  ]) {
    assert.equal(await run(`(${attack}) 2>/dev/null && echo done || echo refused`), 'refused', attack);
  }
});

/** Written into the session's work folder and run inside: rows that no tool of ours would write. */
const FORGE = `
import { DatabaseSync } from 'node:sqlite';
const db = new DatabaseSync('/s/out/outbound.db', { timeout: 5000 });
db.exec('pragma journal_mode = persist');
const { run } = db.prepare('select run from meta').get();
const row = db.prepare(\`insert into messages_out (seq, id, run, turn, answers, kind, destination, thread, content, timestamp)
  values ((select max(seq_high) + 3 - max(seq_high) % 2 from meta) + ?, ?, ?, 't', '[]', ?, ?, null, ?, ?)\`);
const at = new Date().toISOString();
['mounts.allow', 'allow_mount', 'give_folder'].forEach((action, n) =>
  row.run(2 * n, 'forged-' + n, run, 'action', null, JSON.stringify({ action, input: { path: '/' } }), at));
row.run(6, 'forged-message', run, 'message', 'terminal', JSON.stringify({ text: 'forged' }), at);
db.exec("update meta set seq_high = seq_high + 10");
`;

test('an agent cannot change the list: not through its sockets, not by what it writes to the host', async (t) => {
  const { world, project, run } = await withFolder(t);
  assert.equal(await run('find / -name api.sock -not -path "/proc/*" 2>/dev/null | wc -l'), '0');
  const ask = `fetch("http://h/v1/mounts",{unix:"/s/run/net.sock",method:"POST",body:JSON.stringify({path:"/srv"})})`;
  assert.match(
    await run(`/app/bun -e '${ask}.then((it) => console.log(it.status), () => console.log(400))'`),
    /^4\d\d$/,
  );
  const chat = world.chat('a');
  const { folder } = await world.session('a');
  writeFileSync(join(folder, 'work', 'forge.ts'), FORGE);
  assert.equal(await run('/app/bun /s/work/forge.ts 2>&1'), '(no output)');
  // The forged message comes out, so the forged actions were read as well.
  await chat.until(() => chat.texts.find((text) => text === 'forged'));
  const list = await world.call<{ path: string }[]>('GET', '/v1/mounts');
  assert.deepEqual(
    list.body.map((it) => it.path),
    [project],
  );
  const central = new DatabaseSync(join(world.home, 'central.db'), { readOnly: true });
  const denied = central.prepare("select action from audit where verdict = 'deny' order by action").all();
  const allowed = central
    .prepare("select count(*) as n from audit where verdict = 'allow' and action like 'mounts.%'")
    .get();
  central.close();
  assert.deepEqual(
    denied.map((it) => it.action),
    ['allow_mount', 'give_folder', 'mounts.allow'],
  );
  assert.equal(allowed?.n, 1);
  chat.close();
});

test('a folder swapped between two runs, for a link or for another folder, is not mounted, and the person is told', async (t) => {
  const { world, project, run } = await withFolder(t);
  assert.equal(await run('pwd'), '/s/folder');
  await newRuns(world);
  renameSync(project, `${project}.old`);
  symlinkSync(world.folder, project);
  const linked = await failure(world, 'a');
  assert.match(linked, /is a link to/);
  assert.ok(linked.includes(`Give the real path: ${world.folder}`), linked);
  rmSync(project);
  mkdirSync(project);
  assert.match(await failure(world, 'a'), /is not the folder that was given/);
  rmSync(project, { recursive: true });
  assert.match(await failure(world, 'a'), /there is no/);
  renameSync(`${project}.old`, project);
  assert.equal(await run('pwd'), '/s/folder');
});

test('a step above the folder swapped for a link is found as well', async (t) => {
  const { world } = await withFolder(t);
  const deep = makeFolder(world, 'above/deep');
  await allow(world, deep);
  await give(world, 'a', deep);
  const above = dirname(deep);
  renameSync(above, `${above}.old`);
  symlinkSync(`${above}.old`, above);
  // By its path alone nothing is wrong: the same folder still stands there.
  assert.equal(lstatSync(deep).isDirectory(), true);
  assert.match(await failure(world, 'a'), /above is a link/);
});

test('what an agent does to its folder can at most keep its own next run from starting', async (t) => {
  const { world, project, run } = await withFolder(t);
  await run('mkdir .ssh && mkfifo .env .netrc');
  await newRuns(world);
  assert.match(await failure(world, 'a'), /holds \.ssh/);
  rmSync(join(project, '.ssh'), { recursive: true });
  assert.equal(await run('chmod 0 /s/folder; echo closed'), 'closed');
  await newRuns(world);
  assert.match(await failure(world, 'a'), /cannot read and write in/);
  chmodSync(project, 0o700);
});

test('nobody is given what lies above or below the folder of another agent: that one could swap it', async (t) => {
  const { world, project, run } = await withFolder(t);
  await world.createAgent({ name: 'b', sandbox: 'bubblewrap' });
  const above = makeFolder(world, 'outer');
  const inner = makeFolder(world, 'outer/inner');
  await allow(world, above);
  await give(world, 'a', above);
  for (const path of [inner, makeFolder(world, 'outer/inner/most')]) {
    const words = await refused(world, 'POST', '/v1/agents/b/folder', path);
    assert.ok(words.includes(`a works on ${above}`) && words.includes('halfdoor chat a --no-dir'), words);
  }
  // What it is refused for: from inside the outer one the inner one is easily made a way out.
  assert.equal(await run('mv inner gone && ln -s / inner && echo swapped'), 'swapped');
  assert.match(await refused(world, 'POST', '/v1/agents/b/folder', inner), /is a link to \//);
  await give(world, 'a', project);
  await world.reply('a', '@reply by a run that no longer has the outer one');
  await give(world, 'b', makeFolder(world, 'outer/gone'));
  assert.match(await refused(world, 'POST', '/v1/agents/a/folder', above), /b works on/);
});

test('a folder given while the run that had the outer one is still at work is refused as well', async (t) => {
  const { world, project } = await withFolder(t);
  await world.createAgent({ name: 'b', sandbox: 'bubblewrap' });
  const inner = makeFolder(world, 'project/inner');
  await world.reply('a', '@reply warm');
  const chat = world.chat('a');
  const long = await world.send('a', '@shell sleep 300');
  await chat.until((events) => events.find((it) => it.type === 'progress' && it.state === 'tool'));
  await give(world, 'a', null);
  assert.match(await refused(world, 'POST', '/v1/agents/b/folder', inner), /a works on/);
  assert.equal((await give(world, 'b', project)).access, 'read-only');
  await world.ask('a', '/stop');
  await world.settled(long);
  chat.close();
});

test('whoever reads a folder that another writes in finds no way to write', async (t) => {
  const { world, project } = await withFolder(t);
  await world.createAgent({ name: 'b', sandbox: 'bubblewrap' });
  await give(world, 'b', project);
  writeFileSync(join(project, 'file'), 'kept');
  for (const attack of [
    'echo x > file',
    'echo x >> /proc/self/cwd/file',
    'rm file',
    'chmod 777 file',
    'touch new',
    'mount -o remount,rw /s/folder',
    'exec 3<>file',
    'ln file /s/work/file',
  ]) {
    const said = await world.reply('b', `@shell cd /s/folder && (${attack}) 2>/dev/null && echo done || echo refused`);
    assert.equal(said, 'refused', attack);
  }
  assert.equal(readFileSync(join(project, 'file'), 'utf8'), 'kept');
  assert.equal(await world.reply('a', '@shell echo mine > file && cat file'), 'mine');
});

test('what Halfdoor stands on is given to nobody, nor what holds it or lies in it', async (t) => {
  const { world } = await withFolder(t);
  const runDir = dirname(world.socketPath);
  const { folder: session } = await world.session('a').catch(() => ({ folder: join(world.home, 'sessions') }));
  const cases: [path: string, says: RegExp][] = [
    [world.home, /is the home of Halfdoor/],
    [join(world.home, 'agents'), /lies in the home of Halfdoor/],
    [session, /lies in the home of Halfdoor/],
    [runDir, /run dir of Halfdoor|where programs keep their sockets/],
    [ROOT, /is the checkout/],
    [join(ROOT, 'host', 'agents'), /lies in the checkout/],
    // Where the checkout lies in a home itself, that is said first.
    [dirname(ROOT.replace(/\/$/, '')), /holds the checkout|is somebody's home/],
    [dirname(bunPath()), /lies in the checkout|holds the Bun/],
    [dirname(process.execPath), /lies in the checkout|holds the Node|system/],
    [world.folder, /is somebody's home/],
    [dirname(world.folder), /home|holds the home of Halfdoor/],
  ];
  for (const [path, says] of cases) assert.match(await refused(world, 'POST', '/v1/mounts', path), says, path);
});

test('neither the system, nor homes, nor places of credentials are given to anybody', async (t) => {
  const { world } = await withFolder(t);
  for (const path of ['/', '/etc', '/usr/lib', '/proc/self', '/sys', '/dev/shm', '/run', '/var/lib', '/root', '/tmp']) {
    assert.match(
      await refused(world, 'POST', '/v1/mounts', path),
      /system|machine|programs|cannot enter|is a link/,
      path,
    );
  }
  assert.match(await refused(world, 'POST', '/v1/mounts', '/home'), /home|cannot/);
  for (const name of ['.ssh', '.aws/x', '.config/gcloud', 'x/secrets', 'deploy.key', '.config', '.local/bin']) {
    assert.match(await refused(world, 'POST', '/v1/mounts', makeFolder(world, name)), /credentials/, name);
  }
  const like = makeFolder(world, 'like-a-home');
  mkdirSync(join(like, '.gnupg'));
  assert.match(await refused(world, 'POST', '/v1/mounts', like), /holds \.gnupg/);
  const list = await world.call<unknown[]>('GET', '/v1/mounts');
  assert.equal(list.body.length, 1);
});

test('a folder of another user is refused with the name of the user that cannot write there', async (t) => {
  const { world } = await withFolder(t);
  const theirs = ['/srv', '/opt', '/mnt'].find((it) => lstatSync(it).uid !== process.getuid?.()) ?? '';
  const words = await refused(world, 'POST', '/v1/mounts', theirs);
  assert.match(words, /user \S+, as which the host runs, cannot read and write in|holds the checkout/);
  const closed = makeFolder(world, 'closed');
  mkdirSync(join(closed, 'in'));
  const allowed = await allow(world, join(closed, 'in'));
  rmSync(closed, { recursive: true });
  assert.match(await refused(world, 'POST', '/v1/agents/a/folder', allowed.path), /there is no/);
});

test('a path that is none is refused before anything is looked at', async (t) => {
  const { world } = await withFolder(t);
  for (const path of ['project', './x', '', '/a/../b', '/a\nb', `/${'x'.repeat(5000)}`, null]) {
    await refused(world, 'POST', '/v1/mounts', path);
  }
  const file = join(world.folder, 'beside');
  assert.match(await refused(world, 'POST', '/v1/mounts', file), /not a folder/);
  const link = join(world.folder, 'link');
  symlinkSync(makeFolder(world, 'real'), link);
  const words = await refused(world, 'POST', '/v1/mounts', link);
  assert.ok(words.includes(`Give the real path: ${join(world.folder, 'real')}`), words);
});
