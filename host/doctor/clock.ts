/** Whether the clock can be right: against what this machine itself wrote, and what a configured model endpoint says. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { join } from 'node:path';
import type { Endpoint } from '../db/inspect.ts';
import { endpointOf } from '../egress/endpoint.ts';
import type { Check, Found } from './check.ts';
import type { Ground } from './ground.ts';

const MINUTE_MS = 60_000;
/** Rows are written by this clock: any future is one too many but for a step of NTP. */
const WRITTEN_MS = 2 * MINUTE_MS;
const ENDPOINT_MS = 5 * MINUTE_MS;
const ASK_MS = 3_000;
const ENDPOINTS = 4;

/** All in ms since 1970. `ntp`: null where that cannot be read. */
export type ClockSeen = {
  now: number;
  newestRow: number | null;
  checkout: number;
  endpoints: { host: string; date: number }[];
  ntp: boolean | null;
};

export const clock = ({ central, root, now }: Ground): Check => ({
  name: 'the clock',
  look: async () => {
    const { newest, endpoints } = central.state === 'sound' ? central : { newest: null, endpoints: [] };
    const seen: ClockSeen = {
      now: now().getTime(),
      newestRow: newest === null ? null : Date.parse(newest),
      checkout: statSync(join(root, 'package.json')).mtimeMs,
      endpoints: (await Promise.all(endpoints.slice(0, ENDPOINTS).map((it) => dateOf(it, now)))).flatMap(
        (it) => it ?? [],
      ),
      ntp: ntpState(),
    };
    const kept = seen.ntp === false ? ', not kept by NTP' : '';
    return { fine: `the clock is not behind anything it wrote${kept}`, found: judgeClock(seen) };
  },
});

export function judgeClock({ now, newestRow, checkout, endpoints, ntp }: ClockSeen): Found[] {
  const set = ntp === null ? 'date -u && sudo date -u -s' : 'sudo timedatectl set-ntp true && timedatectl';
  const off = endpoints.find(({ date }) => Math.abs(date - now) > ENDPOINT_MS);
  if (off) {
    const what = `This clock is ${span(now - off.date)} ${now > off.date ? 'ahead' : 'behind'}, if ${off.host} is right: it says ${iso(off.date)}, this machine ${iso(now)}.`;
    const next = ntp === null ? `sudo date -u -s '${iso(off.date)}'` : set;
    return [{ id: 'clock-off', severity: 'broken', what, next }];
  }
  const since = [
    { at: newestRow, of: 'the newest row of the central database' },
    { at: checkout, of: 'this version of Halfdoor' },
  ].find(({ at }) => at !== null && at - now > WRITTEN_MS);
  if (!since || since.at === null) return [];
  const what = `The clock went back: ${since.of} is from ${iso(since.at)}, ${span(since.at - now)} after what this machine says now (${iso(now)}). Schedules and retries wait for a time that has already been. Set the clock if it is wrong.`;
  return [
    { id: 'clock-behind', severity: 'broken', what, next: ntp === null ? "sudo date -u -s 'YYYY-MM-DD HH:MM'" : set },
  ];
}

const iso = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');

function span(ms: number): string {
  const minutes = Math.round(Math.abs(ms) / MINUTE_MS);
  return minutes < 120 ? `${minutes} minutes` : `${Math.round(minutes / 60)} hours`;
}

/** The Date header of a HEAD request that carries no key, moved to now; null when it does not come. */
function dateOf({ api, baseUrl }: Endpoint, now: () => Date): Promise<{ host: string; date: number } | null> {
  const url = new URL(endpointOf(api, baseUrl, null).baseUrl);
  const ask = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    const asked = now().getTime();
    const asking = ask(url, { method: 'HEAD', agent: false, signal: AbortSignal.timeout(ASK_MS) }, (answer) => {
      answer.resume();
      const date = Date.parse(answer.headers.date ?? '');
      resolve(Number.isNaN(date) ? null : { host: url.host, date: date - (now().getTime() - asked) });
    });
    asking.on('error', () => resolve(null)).end();
  });
}

/** What systemd says of NTP; null where there is no systemd to ask. */
function ntpState(): boolean | null {
  const { status, stdout } = spawnSync('timedatectl', ['show', '-p', 'NTPSynchronized', '--value'], {
    encoding: 'utf8',
    timeout: ASK_MS,
  });
  return status === 0 ? stdout.trim() === 'yes' : null;
}
