/** The CLI as a process of its own, against a home in a fresh folder. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { ApiHost } from '../../tests/fakes/api-host.ts';

export type Ended = { code: number | null; out: string; err: string };

const MAIN = join(import.meta.dirname, '..', 'main.ts');

export function freshFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'hd-cli-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export async function fakeHost(t: TestContext): Promise<ApiHost> {
  const host = await new ApiHost(freshFolder(t)).open();
  t.after(() => host.close());
  return host;
}

/** `argv` in front of the CLI's own, for example a pty. Input is written at once and ended, unless `typed` takes it. */
export function startCli(home: string, words: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [MAIN, ...words], {
    env: { PATH: process.env.PATH, HOME: home, HALFDOOR_HOME: home, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  return { child, ended: collect(child) };
}

export function collect(child: ReturnType<typeof spawn>): Promise<Ended> {
  let [out, err] = ['', ''];
  child.stdout?.on('data', (part) => (out += String(part)));
  child.stderr?.on('data', (part) => (err += String(part)));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
}

export async function runCli(home: string, words: readonly string[], input = ''): Promise<Ended> {
  const { child, ended } = startCli(home, words);
  child.stdin.on('error', () => {}); // it may stop reading what is too much
  child.stdin.end(input);
  return ended;
}
