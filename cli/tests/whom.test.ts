// needs: pty
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { collect, fakeHost, runCli } from './run-cli.ts';

const MAIN = join(import.meta.dirname, '..', 'main.ts');

test('with one agent, chat needs no name', async (t) => {
  const { home } = await fakeHost(t);
  const { code, out } = await runCli(home, ['chat'], '@reply you mean me\n');
  assert.deepEqual([code, out.replaceAll(/^working.*\n/gm, '').endsWith('you mean me\n')], [0, true]);
});

test('with several and nobody to ask, they are named', async (t) => {
  const host = await fakeHost(t);
  host.addAgent({ name: 'b', provider: 'mock' });
  const { code, out, err } = await runCli(host.home, ['chat'], 'x\n');
  assert.deepEqual([code, out], [2, '']);
  assert.match(err, /which agent\? There are: a, b\nFor example: \.\/halfdoor chat a/);
});

for (const [name, env] of [
  ['drawn', { TERM: 'xterm' }],
  ['plain', { TERM: 'dumb' }],
] as const) {
  test(`with several and a person before a ${name} terminal, it is asked`, async (t) => {
    const host = await fakeHost(t);
    host.addAgent({ name: 'b', provider: 'mock' });
    const child = spawn(
      'script',
      ['-qefc', `stty cols 80 rows 24; exec '${process.execPath}' '${MAIN}' chat`, '/dev/null'],
      {
        env: { PATH: process.env.PATH, HOME: host.home, HALFDOOR_HOME: host.home, SHELL: '/bin/sh', ...env },
        stdio: ['pipe', 'pipe', 'pipe'],
      },
    );
    const ended = collect(child);
    let out = '';
    let look = (): void => {};
    child.stdout.on('data', (part) => ((out += String(part)), look()));
    const shown = async (what: RegExp): Promise<void> => {
      while (!what.test(out)) await new Promise<void>((resolve) => (look = resolve));
    };
    await shown(/Talk to whom\?[^]*b/);
    child.stdin.write(name === 'plain' ? '2\n' : '\u001b[B\r');
    await host.until(() => host.chatting.includes('b'));
    child.stdin.write('@reply here\r');
    await shown(/here[^]*here/);
    child.stdin.write('\u0004');
    const ending = await ended;
    assert.equal(ending.code, 0);
    if (name === 'plain') assert.ok(!ending.out.includes('\u001b'));
  });
}
