// needs: userns
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { DatabaseSync } from 'node:sqlite';
import { openWorld, type World } from '../world/host.ts';

/** Each attack is a shell command run inside by an agent that has been taken over. */
async function walled(t: TestContext): Promise<{ world: World; run(command: string): Promise<string> }> {
  const world = await openWorld(t);
  await world.createAgent({ name: 'a', sandbox: 'bubblewrap' });
  return { world, run: (command) => world.reply('a', `@shell ${command}`) };
}

test('inside there is no network but the loopback of its own', async (t) => {
  const { run } = await walled(t);
  const server = createServer((_incoming, outgoing) => outgoing.end('host'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  assert.equal(await run("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"), 'lo');
  assert.match(await run(`bash -c 'echo > /dev/tcp/127.0.0.1/${port}' 2>&1; echo $?`), /refused|unreachable/i);
  assert.match(await run("bash -c 'echo > /dev/tcp/192.0.2.1/80' 2>&1; echo $?"), /unreachable/i);
});

test('inside neither the home of the host, nor another session, nor the run dir can be seen', async (t) => {
  const { world, run } = await walled(t);
  await world.createAgent({ name: 'b', sandbox: 'bubblewrap' });
  await world.reply('b', '@shell echo secret-of-b > mine');
  assert.equal(
    await run(`ls ${world.home} ${world.folder} /root /home /var /run /sys 2>&1 | grep -vc 'No such file'`),
    '0\n(exit 1)',
  );
  assert.match(await run('grep -r secret-of-[b] / --exclude-dir=proc --exclude-dir=usr -s; echo end'), /^end$/);
  const listed = (await run('ls /s; ls /s/run')).split('\n').sort();
  assert.deepEqual(listed, ['agent', 'bell.sock', 'in', 'net.sock', 'out', 'run', 'work']);
  assert.equal(await run('ps ax -o pid= | wc -l').then((n) => Number(n) < 12), true);
});

test('writable inside is only what is listed', async (t) => {
  const { run } = await walled(t);
  const walk =
    'for d in $(find / -xdev -type d -not -path "/proc/*" 2>/dev/null) /s/work /s/work/home /s/out/files /tmp /dev/shm; do ' +
    'if (: > "$d/.probe") 2>/dev/null; then echo "$d"; fi; done | sort -u';
  assert.deepEqual((await run(walk)).split('\n'), ['/dev/shm', '/s/out/files', '/s/work', '/s/work/home', '/tmp']);
  const files =
    'for f in /s/in/inbound.db /s/out/* /s/agent/* /app/bun /app/dist/* /etc/passwd; do [ -f $f ] && (: >> $f) 2>/dev/null && echo $f; done; true';
  assert.deepEqual((await run(files)).split('\n').sort(), [
    '/s/out/heartbeat',
    '/s/out/outbound.db',
    '/s/out/outbound.db-journal',
    '/s/out/progress',
  ]);
});

test('/proc/sys refuses opening for writing, and no new namespace can be made', async (t) => {
  const { run } = await walled(t);
  assert.equal(await run('(: >> /proc/sys/kernel/core_pattern) 2>/dev/null && echo open || echo refused'), 'refused');
  assert.equal(await run('(: >> /proc/sysrq-trigger) 2>/dev/null && echo open || echo refused'), 'refused');
  assert.equal(await run('unshare -U true 2>/dev/null && echo made || echo refused'), 'refused');
  assert.match(
    await run('mount -t tmpfs x /tmp 2>&1; umount /s/out 2>&1'),
    /must be superuser|not permitted|permission denied/i,
  );
  const status = await run("grep -E '^(CapEff|CapBnd|NoNewPrivs|Seccomp):' /proc/self/status | tr '\\t' ' '");
  assert.match(status, /CapEff: 0{16}/);
  assert.match(status, /CapBnd: 0{16}/);
  assert.match(status, /NoNewPrivs: 1/);
  assert.match(status, /Seccomp: 2/);
});

test('nothing can be placed beside outbound.db, or put in its place', async (t) => {
  const { run } = await walled(t);
  const attacks = [
    'mkfifo outbound.db-wal',
    'ln -s /etc/passwd outbound.db-shm',
    'mv outbound.db elsewhere',
    'mv /s/work/x outbound.db',
    'rm outbound.db-journal',
    'rm -rf files',
    'mkdir more',
    'ln outbound.db copy',
  ];
  for (const attack of attacks) {
    assert.equal(
      await run(`cd /s/out && touch /s/work/x && (${attack}) 2>/dev/null && echo done || echo refused`),
      'refused',
      attack,
    );
  }
});

test('the header flipped to WAL is refused by the reader while others are answered', async (t) => {
  const { world, run } = await walled(t);
  await world.createAgent({ name: 'good', sandbox: 'bubblewrap' });
  await world.reply('good', '@reply up');
  // It outlives its turn, and flips again whatever the runner writes.
  const flip = "printf '\\002\\002' | dd of=/s/out/outbound.db bs=1 seek=18 conv=notrunc 2>/dev/null";
  const loop = `setsid sh -c ": > up; n=0; while [ \\$n -lt 3000 ]; do ${flip}; n=\\$((n+1)); done" >/dev/null 2>&1 &`;
  await world.send('a', `@shell ${loop} while [ ! -e up ]; do :; done\n@sleep 300`);
  await world.logged('outbound file refused');
  assert.match(world.log, /journal format 2\/2 in the header/);
  assert.equal(await world.reply('good', '@reply still'), 'still');
  const { folder } = await world.session('a');
  for (const name of ['outbound.db-wal', 'outbound.db-shm']) assert.equal(existsSync(join(folder, 'out', name)), false);
  assert.match(await world.reply('a', '/new'), /new conversation/);
  assert.equal(await run('echo back'), 'back');
});

test('chmod 0 from inside does not outlive the run', async (t) => {
  const { world, run } = await walled(t);
  await world.ask('a', '@shell chmod 0 /s/out/outbound.db /s/out/heartbeat /s/out/files; chmod 0 /s/work');
  await world.restart('SIGTERM');
  assert.equal(await run('echo awake'), 'awake');
});

test('seen from outside, what runs inside is one bubblewrap of an ordinary user, also after 50 messages at once', async (t) => {
  const { world } = await walled(t);
  const ids = await Promise.all(Array.from({ length: 50 }, (_, n) => world.send('a', `@reply n${n}`)));
  for (const id of ids) assert.equal((await world.settled(id)).status, 'answered');
  const { pid, id } = await world.session('a');
  assert.ok(pid);
  const outer = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  assert.match(outer, /^\/usr\/bin\/bwrap\0/);
  assert.ok(outer.includes(id));
  assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), new RegExp(`^Uid:\\s+${process.getuid?.()}\\s`, 'm'));
  assert.notEqual(process.getuid?.(), 0);
});

test('the environment inside holds the named list, and no descriptor came along', async (t) => {
  const { run } = await walled(t);
  const names = (await run("tr '\\0' '\\n' < /proc/1/environ | cut -d= -f1 | sort")).split('\n').filter(Boolean);
  assert.deepEqual(names, ['HOME', 'LANG', 'PATH', 'PWD', 'TMPDIR']);
  const open = await run('for p in 1 2; do for f in /proc/$p/fd/*; do readlink $f; done; done | sort -u');
  const foreign = open
    .split('\n')
    .filter((it) => !/^(\/dev\/null|socket:.*|anon_inode:.*|\/s\/(in|out)\/.*)$/.test(it));
  assert.deepEqual(foreign, []);
});

test('a session whose schema was changed from inside is refused', async (t) => {
  const world = await openWorld(t);
  await world.createAgent({ name: 'p', sandbox: 'process' });
  await world.reply('p', '@reply up');
  const { folder } = await world.session('p');
  const file = new DatabaseSync(join(folder, 'out', 'outbound.db'));
  file.exec('create view v as select 1');
  file.close();
  assert.match((await world.ask('p', '@reply x')).error ?? '', /not what the host made/);
});
