/** The wall around the reader, as its own process stands in /proc. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { BAD, failureOf, filesOpen, readerPids, type Attack } from './reader-stage.ts';

const of = (file: string): string => readFileSync(`/proc/${readerPids().at(-1)}/${file}`, 'utf8');

export function wallCases(attack: Attack): void {
  attack('it may write no file and leave no core', async ({ reader }) => {
    assert.equal(failureOf(await reader.read(BAD, 0)), 'ok');
    assert.match(of('limits'), /^Max file size +0 +0 /m);
    assert.match(of('limits'), /^Max core file size +0 +0 /m);
  });

  attack('it sees the out/ folders, read-only, and of the machine only what it runs on', async ({ reader, home }) => {
    assert.equal(failureOf(await reader.read(BAD, 0)), 'ok');
    const mounts = of('mountinfo')
      .trim()
      .split('\n')
      .map((line) => line.split(' '));
    const root = (at: string): string | undefined => mounts.findLast((it) => it[4] === at)?.[3];
    assert.ok(home.out.endsWith(root('/out') ?? '-'), root('/out'));
    const writable = mounts.filter(([, , , , , options]) => /^rw\b/.test(options ?? '')).map((it) => it[4] ?? '');
    assert.deepEqual(
      writable.filter((at) => !/^\/(dev|proc|tmp|usr\/local)(\/|$)/.test(at)),
      [],
    );
    assert.deepEqual(
      mounts.map((it) => it[4] ?? '').filter((at) => !/^\/(app\/(bun|dist)|dev|proc|tmp|usr|out)?(\/|$)/.test(at)),
      [],
    );
  });

  attack('it has no environment, no network, no right, and no descriptor but its own', async ({ reader, home }) => {
    assert.equal(failureOf(await reader.read(BAD, 0)), 'ok');
    assert.equal(of('environ').replace(/^PWD=\/\0$/, ''), '');
    assert.deepEqual(of('net/dev').match(/^ *\w+(?=:)/gm), ['    lo']);
    assert.match(of('status'), /^CapEff:\s+0{16}$/m);
    assert.match(of('status'), /^NoNewPrivs:\s+1$/m);
    assert.match(of('status'), /^Seccomp:\s+2$/m);
    const own = readdirSync(home.out).map((id) => `/out/${id}/outbound.db`);
    const foreign = filesOpen().filter(
      (it) => !/^(socket|pipe|anon_inode):|^\/dev\/|^\/app\//.test(it) && !own.includes(it),
    );
    assert.deepEqual(foreign, []);
  });
}
