/** A way out without a host around it: rules in memory, a record that is kept, an outside that a test makes up. */
import { connect } from 'node:net';
import { systemClock, type Clock } from '../../host/clock.ts';
import { GUARDS, type Guards } from '../../host/egress/guards.ts';
import type { Outside } from '../../host/egress/outside.ts';
import { WayOut, type Noted } from '../../host/egress/way-out.ts';

export type WayOutOptions = {
  clock?: Clock;
  outside?: Outside;
  guards?: Partial<Guards>;
  rules?: string[];
  onNote?(it: Noted): void;
};

/** Nothing can be looked up, and nothing is let through, unless said otherwise. */
export function stagedWayOut({
  clock = systemClock,
  outside = NOWHERE,
  guards,
  rules = [],
  onNote,
}: WayOutOptions = {}) {
  const noted: Noted[] = [];
  const wayOut = new WayOut({
    ...{ clock, outside },
    guards: { ...GUARDS, ...guards },
    rulesOf: () => Promise.resolve(rules),
    movedSince: () => Promise.resolve(0),
    note: (it) => {
      noted.push(it);
      onNote?.(it);
    },
  });
  return { wayOut, noted, rules };
}

const NOWHERE: Outside = {
  resolve: () => Promise.resolve([]),
  dial: () => {
    throw new Error('nothing may be dialled here');
  },
};

/** Names lead to the addresses given for them, one list after the other; each address to a port of this machine. */
export function mappedOutside(
  names: Readonly<Record<string, string[][]>>,
  ports: Readonly<Record<string, number>>,
): Outside {
  const asked = new Map<string, number>();
  return {
    resolve: (host) => {
      const lists = names[host] ?? [];
      const n = asked.get(host) ?? 0;
      asked.set(host, n + 1);
      return Promise.resolve(lists[Math.min(n, lists.length - 1)] ?? []);
    },
    dial: (address) => connect({ host: '127.0.0.1', port: ports[address] ?? 1, allowHalfOpen: true }),
  };
}
