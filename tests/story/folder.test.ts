// needs: userns, pty
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FolderView, MountView, SessionView } from '../../host/api/contract.ts';
import { allow, give, given, makeFolder, refused } from '../world/folders.ts';
import { openWorld, type World } from '../world/host.ts';
import { ROOT } from '../world/programs.ts';

type Ended = { code: number; out: string; err: string };

/** The CLI as a person without a terminal calls it. */
function cli(world: World, words: readonly string[], input = '', cwd = world.folder): Promise<Ended> {
  return new Promise((resolve) => {
    const argv = [join(ROOT, 'cli', 'main.ts'), ...words];
    const child = execFile(process.execPath, argv, { env: world.env, cwd }, (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), out, err }),
    );
    child.stdin?.on('error', () => undefined); // it may end without reading
    child.stdin?.end(input);
  });
}

for (const sandbox of ['bubblewrap', 'process'] as const) {
  test(`${sandbox}: an agent works in the folder of a person, who sees what it wrote`, async (t) => {
    const world = await openWorld(t);
    await world.createAgent({ name: 'a', sandbox });
    const project = makeFolder(world, 'my project');
    writeFileSync(join(project, 'plan'), 'build it');
    await allow(world, project);
    const { inside, access, sharedWith } = await give(world, 'a', project);
    assert.deepEqual([access, sharedWith], ['read-write', null]);
    const where = sandbox === 'process' ? project : inside; // there it is a link
    assert.equal(await world.reply('a', '@shell pwd; cat plan; echo done > result'), `${where}\nbuild it`);
    assert.equal(readFileSync(join(project, 'result'), 'utf8'), 'done\n');
    const made = statSync(join(project, 'result'));
    assert.equal(made.uid, process.getuid?.());
    assert.equal(await world.reply('a', '@shell echo "${HOME##*/}"'), 'home');
  });
}

test('a folder stays with its conversation over a restart; /new drops it and says how to get it back', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a', sandbox: 'bubblewrap' });
  const project = await given(world, 'a', "it's mine");
  assert.equal(await world.reply('a', '@shell pwd'), '/s/folder');
  await world.restart('SIGKILL');
  assert.equal(await world.reply('a', '@shell pwd'), '/s/folder');
  const said = await world.reply('a', '/new');
  assert.ok(said.includes(`It does not have the folder ${project}`), said);
  const quoted = `halfdoor chat a --dir '${project.replace("'", "'\\''")}'`;
  assert.ok(said.endsWith(quoted), said);
  assert.equal(await world.reply('a', '@shell pwd; ls /s'), '/s/work\nagent\nin\nout\nrun\nwork');
  assert.equal((await world.call('GET', '/v1/agents/a/folder')).body, null);
});

test('a folder given to an agent that is at work: what it works on is finished first, what comes later has the folder', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a', sandbox: 'bubblewrap' });
  await world.reply('a', '@reply warm');
  const chat = world.chat('a');
  const before = await world.send('a', '@shell touch began; while [ ! -e go ]; do sleep 0.01; done; pwd');
  await chat.until((events) => events.find((it) => it.type === 'progress' && it.state === 'tool'));
  const project = await given(world, 'a', 'project');
  const after = await world.send('a', '@shell pwd');
  const { folder } = await world.session('a');
  writeFileSync(join(folder, 'work', 'go'), '');
  assert.deepEqual(
    (await world.settled(before)).replies.map((it) => it.text),
    ['/s/work'],
  );
  assert.deepEqual(
    (await world.settled(after)).replies.map((it) => it.text),
    ['/s/folder'],
  );
  assert.equal((await world.call<FolderView>('GET', '/v1/agents/a/folder')).body.path, project);
  await give(world, 'a', null);
  assert.equal(await world.reply('a', '@shell pwd'), '/s/work');
  chat.close();
});

test('a folder given in mid-turn, and then /stop: the turn ends, and the next message has the folder', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a', sandbox: 'bubblewrap' });
  await world.reply('a', '@reply warm');
  const chat = world.chat('a');
  const long = await world.send('a', '@shell sleep 300');
  await chat.until((events) => events.find((it) => it.type === 'progress' && it.state === 'tool'));
  await given(world, 'a', 'project');
  await world.settled(await world.send('a', '/stop'));
  assert.match((await world.settled(long)).error ?? '', /stopped/);
  assert.equal(await world.reply('a', '@shell pwd'), '/s/folder');
  chat.close();
});

test('two agents on one folder: the second reads, is told so, and writes once the first is done with it', async (t) => {
  const world = await openWorld(t);
  for (const name of ['a', 'b']) await world.createAgent({ name, sandbox: 'bubblewrap' });
  const project = await given(world, 'a', 'project');
  const second = await give(world, 'b', project);
  assert.deepEqual([second.access, second.sharedWith], ['read-only', 'a']);
  const write = '@shell (echo x > by-me) 2>/dev/null && echo written || echo refused';
  assert.equal(await world.reply('b', write), 'refused');
  assert.equal(await world.reply('a', write), 'written');
  const reader = await world.session('b');
  await world.reply('a', '/new');
  await runEnded(world, reader);
  assert.equal((await world.call<FolderView>('GET', '/v1/agents/b/folder')).body.access, 'read-write');
  assert.equal(await world.reply('b', write), 'written');
});

test('mounts: what is removed is taken from a run at once, and its message fails with a way on', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a', sandbox: 'bubblewrap' });
  const project = await given(world, 'a', 'project');
  const watched = watch(project);
  const ticking = once(watched, 'change');
  const long = await world.send('a', '@shell while :; do echo x >> ticks; sleep 0.01; done');
  await ticking;
  watched.close();
  const removed = await world.call<MountView>('DELETE', '/v1/mounts', { path: project });
  assert.equal(removed.body.sessions.length, 1);
  const view = await world.settled(long);
  assert.equal(view.status, 'failed');
  assert.match(view.notices[0]?.text ?? '', /not among the folders.*mounts allow.*--no-dir/s);
  const ticks = readFileSync(join(project, 'ticks'), 'utf8');
  assert.equal((await world.ask('a', '@reply x')).status, 'failed');
  assert.equal(readFileSync(join(project, 'ticks'), 'utf8'), ticks);
  await give(world, 'a', null);
  assert.equal(await world.reply('a', '@reply on we go'), 'on we go');
  assert.match(await refused(world, 'DELETE', '/v1/mounts', project), /not on the list/);
});

test('the CLI: relative to where the caller stands, asked for without a terminal, told in the first line', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const project = makeFolder(world, 'project');
  writeFileSync(join(project, '.env'), 'KEY=1');
  const nobody = await cli(world, ['chat', 'a', '--dir', 'project'], '@reply x\n');
  assert.equal(nobody.code, 1);
  assert.ok(nobody.err.includes(`halfdoor mounts allow ${project}`), nobody.err);
  assert.equal(nobody.out, '');
  assert.match((await cli(world, ['mounts', 'list'])).out, /no folder may be given/);
  const allowed = await cli(world, ['mounts', 'allow', '.'], '', project);
  assert.deepEqual([allowed.code, allowed.out.includes(project)], [0, true]);
  assert.match(allowed.err, /holds \.env: agents that are given it can read that too/);
  const chat = await cli(world, ['chat', 'a', '--dir', 'project'], '@shell echo "${PWD##*/}"\n');
  assert.deepEqual([chat.code, chat.err], [0, '']);
  assert.equal(chat.out.split('\n')[0], `* folder ${project}, read-write`);
  assert.match((await cli(world, ['mounts', 'list'])).out, new RegExp(`^${project} +1 `, 'm'));
  assert.match((await cli(world, ['chat', 'a'], '@reply x\n')).out, /^\* folder /);
  assert.doesNotMatch((await cli(world, ['chat', 'a', '--no-dir'], '@reply x\n')).out, /folder/);
  assert.deepEqual((await cli(world, ['mounts', 'remove', project])).code, 0);
  const yes = await cli(world, ['chat', 'a', '--dir', project, '--yes'], '@reply x\n');
  assert.match(yes.out, /^\* folder /);
  assert.match(yes.err, /\.env/);
});

/** Resolves when the run that a session had is over; each answer of its host asks again. */
async function runEnded(world: World, { id, pid }: { id: string; pid: number | null }): Promise<void> {
  while ((await world.call<SessionView>('GET', `/v1/sessions/${id}`)).body.pid === pid);
}

/** On a pty, as a person sits before it; `answer` is typed when the question is there. */
async function atTerminal(world: World, words: string, answer: string): Promise<{ code: number | null; out: string }> {
  const command = `'${process.execPath}' '${join(ROOT, 'cli', 'main.ts')}' ${words}`;
  const env = { ...world.env, TERM: 'dumb', SHELL: '/bin/sh' };
  const child = spawn('script', ['-qefc', command, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  let out = '';
  child.stdout.setEncoding('utf8');
  for await (const part of child.stdout) {
    const before = out;
    out += part;
    const shown = (what: string): boolean => out.includes(what) && !before.includes(what);
    if (shown('[y/N] ')) child.stdin.write(`${answer}\n`);
    if (shown('* folder')) child.stdin.write('\u0004');
  }
  const [code] = (await closed) as [number | null];
  return { code, out };
}

test('at a terminal it is asked once: no gives nothing, yes gives it, and then nobody is asked again', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const project = makeFolder(world, 'project');
  const words = `chat a --dir ${project}`;
  const no = await atTerminal(world, words, '');
  assert.deepEqual([no.code, no.out.includes(`May a read and change everything in ${project}? [y/N]`)], [1, true]);
  assert.match(no.out, /was not given/);
  assert.deepEqual((await world.call('GET', '/v1/mounts')).body, []);
  assert.match((await atTerminal(world, words, 'y')).out, /\[y\/N\][^]*\* folder .*, read-write/);
  const again = await atTerminal(world, words, 'n');
  assert.deepEqual([again.code, again.out.includes('[y/N]'), again.out.includes('* folder')], [0, false, true]);
});

test('what an agent makes in the folder can be read by others, whatever the host keeps for itself', async (t) => {
  const before = process.umask(0o077);
  const world = await openWorld(t).finally(() => process.umask(before));
  await world.createAgent({ name: 'a', sandbox: 'bubblewrap' });
  const project = await given(world, 'a', 'project');
  await world.reply('a', '@shell mkdir made; echo x > made/file');
  const mode = (name: string): number => statSync(join(project, name)).mode & 0o777;
  assert.deepEqual([mode('made'), mode('made/file')], [0o755, 0o644]);
});

test('an agent that was never spoken to gets its session with the folder', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a' });
  const project = await given(world, 'a', 'project');
  const before = await world.session('a');
  await world.restart('SIGTERM');
  await give(world, 'a', project);
  assert.match(await world.reply('a', '@shell pwd -P'), /project$/);
  assert.equal((await world.session('a')).id, before.id);
});
