/** A session's socket with a network behind it that a test made up, and a real bubblewrap in which the attacker sits. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { systemClock } from '../../host/clock.ts';
import type { Guards } from '../../host/egress/guards.ts';
import { openNet, type NetAgent } from '../../host/egress/net.ts';
import { makeLog } from '../../host/log.ts';
import { wall } from '../../host/sandboxes/bubblewrap.ts';
import { makeEtc } from '../../host/sandboxes/etc.ts';
import { withFilter } from '../../host/sandboxes/syscall-filter.ts';
import { Redactor } from '../../host/secrets/redact.ts';
import { makeAuthority, openTls } from '../fakes/tls.ts';
import { stagedWayOut, type WayOutOptions } from '../fakes/way-out.ts';
import { bunPath } from '../world/programs.ts';

export type Attacker = {
  /** Runs peers/attack.ts inside; resolves with the last line it printed. */
  attack(...words: string[]): Promise<string>;
  /** The same, once it has said that it waits: `go` lets it go on. */
  dawdle(...words: string[]): Promise<{ go(): Promise<string> }>;
  noted: ReturnType<typeof stagedWayOut>['noted'];
  /** Resolves once the record holds this many. */
  noticed(rows: number): Promise<void>;
};

const AGENT: NetAgent = { sessionId: 's1', id: 'a1', name: 'maya', api: null, baseUrl: null, key: null };

export async function openAttacker(
  t: TestContext,
  options: WayOutOptions & { agent?: Partial<NetAgent>; key?: string; server?: Server } = {},
): Promise<Attacker> {
  const folder = mkdtempSync(join(tmpdir(), 'hd-egress-'));
  const run = join(folder, 'run');
  mkdirSync(run);
  let wake = (): void => {};
  const { wayOut, noted } = stagedWayOut({ ...options, onNote: () => wake() });
  const noticed = async (rows: number): Promise<void> => {
    while (noted.length < rows) await new Promise<void>((resolve) => (wake = resolve));
  };
  const log = makeLog(
    () => undefined,
    () => new Date(),
    (text) => text,
  );
  const keys = () => ({ ok: true, value: options.key ?? 'none' }) as const;
  const deps = {
    keys,
    redactor: new Redactor(),
    clock: systemClock,
    log,
    wayOut,
    searchEndpoint: () => Promise.resolve(null),
  };
  const path = join(run, 'net.sock');
  const { server } = options;
  const net = server
    ? await listen(server, path)
    : await openNet(deps, path, { ...AGENT, ...options.agent }, () => undefined);
  const started: ChildProcess[] = [];
  t.after(async () => {
    await Promise.all(started.map(ended));
    await net.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const etc = makeEtc(join(folder, 'etc'), 'test');
  const start = (words: string[]): Inside => {
    const it = inside(etc, run, words);
    started.push(it.child);
    return it;
  };
  return {
    noted,
    noticed,
    attack: (...words) => start(words).last,
    dawdle: async (...words) => {
      const { child, first, last } = start(['dawdle', ...words]);
      assert.equal(await first, 'waiting');
      return { go: () => (child.stdin?.write('go\n'), last) };
    },
  };
}

/** Another server in the place of the host's. */
async function listen(server: Server, path: string): Promise<{ close(): Promise<void> }> {
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return { close: () => new Promise((resolve) => server.close(() => resolve())) };
}

type Inside = { child: ChildProcess; first: Promise<string>; last: Promise<string> };

function inside(etc: string, run: string, words: string[]): Inside {
  const mounts = ['--ro-bind', bunPath(), '/app/bun', '--ro-bind', join(import.meta.dirname, 'peers'), '/app/peers'];
  const session = ['--dir', '/s', '--ro-bind', run, '/s/run', '--remount-ro', '/', '--chdir', '/tmp'];
  const program = ['/usr/bin/tini', '--', '/app/bun', '/app/peers/attack.ts', ...words];
  const argv = [...wall(etc, '/'), ...mounts, ...session, '--', ...program];
  const child = withFilter((filter) =>
    spawn('/usr/bin/prlimit', argv, { env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'inherit', 'pipe', filter] }),
  );
  child.stdin?.on('error', () => undefined);
  let text = '';
  const lines = (): string[] => text.split('\n').filter(Boolean);
  const first = new Promise<string>((resolve) => {
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) resolve(lines()[0] ?? '');
    });
    child.once('close', () => resolve(lines()[0] ?? ''));
  });
  const last = new Promise<string>((resolve) => child.once('close', () => resolve(lines().at(-1) ?? '')));
  return { child, first, last };
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('close', () => resolve());
    child.kill('SIGKILL');
  });
}

/** A server that says back what it is told. Ends with the test. */
export async function openEcho(t: TestContext): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => undefined).pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => void server.close());
  return (server.address() as AddressInfo).port;
}

export const PUBLIC = '93.184.216.34';
export const rules = ['allowed.example'];
/** Guards taken away. */
export const anyAddress: Partial<Guards> = { isGlobal: () => true };
export const anyHello: Partial<Guards> = { hello: () => ({ state: 'passed' }) };

/** What a naive proxy makes of a target. */
export const lenient = (url: string): ReturnType<Guards['request']> => ({
  ok: true,
  host: url.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1'),
});

/** Two servers: the one that may be reached, and one that belongs to this machine. */
export async function openServers(t: TestContext): Promise<{ open: number; own: number }> {
  const authority = makeAuthority(['allowed.example', 'other.example']);
  const open = await openTls(t, authority, (asked, answer) => {
    const name = (asked.socket as { servername?: string }).servername ?? 'nobody';
    answer.end(`open, as ${name}, told ${String(asked.headers['x-api-key'])}`);
  });
  const own = await openTls(t, authority, (_asked, answer) => answer.end('the secret of this machine'));
  return { open: open.port, own: own.port };
}
