/** 10,000 sessions asleep, with both files on the disk: what they cost after a restart, and how fast random ones wake. */
import { readFileSync } from 'node:fs';
import { World } from '../tests/world/host.ts';
import { Client, pause, percentile, round } from './measure.ts';

const ASLEEP = 10_000;
const AT_ONCE = 32;
const WOKEN = 100;
const IDLE_MS = 10_000;
const PING_MS = 5;

export async function sessions(): Promise<object> {
  const world = new World({});
  await world.start();
  try {
    await make(world);
    await world.end('SIGTERM');
    const began = performance.now();
    await world.start();
    const start = performance.now() - began;
    const cpuBefore = cpuMs(world.pid);
    const block = await longestBlock(world, IDLE_MS);
    const cpu = ((cpuMs(world.pid) - cpuBefore - block.pingCpuMs) / IDLE_MS) * 100;
    const figures = {
      asleep: ASLEEP,
      start_ms: round(start),
      rss_mb: rssMb(world.pid),
      cpu_percent: round(Math.max(cpu, 0)),
    };
    const woken = await wake(world);
    return { ...figures, loop_block_ms: round(block.ms), woken_p95_ms: percentile(woken, 0.95) };
  } finally {
    await world.close();
  }
}

/** Through accept: a command makes the session and its folder, and starts nothing. */
async function make(world: World): Promise<void> {
  const client = new Client(world);
  const names = Array.from({ length: ASLEEP }, (_, n) => `a${n}`);
  const next = names[Symbol.iterator]();
  const work = async (): Promise<void> => {
    for (const name of next) {
      await client.post('/v1/agents', { name, provider: 'mock', sandbox: 'bubblewrap' });
      await client.send(name, '/status');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  client.close();
}

/** CPU of a process so far, in milliseconds (clock ticks of 10 ms, proc(5)). */
function cpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const rssMb = (pid: number): number =>
  round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024);

/** Asks something that costs nothing: the first half of the time often, for blocks; the second half not at all, for CPU. */
async function longestBlock(world: World, ms: number): Promise<{ ms: number; pingCpuMs: number }> {
  const before = cpuMs(world.pid);
  let longest = 0;
  for (const end = performance.now() + ms / 2; performance.now() < end;) {
    const began = performance.now();
    await world.call('GET', '/v1/none');
    longest = Math.max(longest, performance.now() - began);
    await pause(PING_MS);
  }
  const pingCpuMs = cpuMs(world.pid) - before;
  await pause(ms / 2);
  return { ms: longest, pingCpuMs };
}

async function wake(world: World): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < WOKEN; n++) {
    const name = `a${Math.floor(Math.random() * ASLEEP)}`;
    const began = performance.now();
    await world.reply(name, '@reply up');
    times.push(performance.now() - began);
  }
  return times;
}
