/** Where the http channel listens, as an owner says it and as its row keeps it. */
import { isIP } from 'node:net';
import { Refusal } from '../refusal.ts';
import { DEFAULT_PLACE, type Place } from '../web.ts';

export type PlaceInput = { port?: unknown; bind?: unknown; hostNames?: unknown };

/** What is not said stays as it was. Throws `Refusal`. */
export function changedPlace(before: Place, { port, bind, hostNames }: PlaceInput): Place {
  return {
    bind: bind === undefined ? before.bind : checkBind(bind),
    port: port === undefined ? before.port : checkPort(port),
    hostNames: hostNames === undefined ? before.hostNames : checkNames(hostNames),
  };
}

/** As the row keeps it. Throws `Refusal`. */
export function placeOf(settings: unknown): Place {
  const kept = typeof settings === 'object' && settings !== null ? settings : {};
  return changedPlace(DEFAULT_PLACE, kept);
}

function checkPort(port: unknown): number {
  if (typeof port === 'number' && Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new Refusal('bad-input', 'that is no port', 'Give a number from 1024 to 65535.');
}

function checkBind(bind: unknown): string {
  if (typeof bind === 'string' && isIP(bind) !== 0) return bind;
  throw new Refusal('bad-input', 'that is no address to listen at', 'Give one of this machine, like 127.0.0.1.');
}

function checkNames(names: unknown): string[] {
  if (Array.isArray(names) && names.length <= 20 && names.every((it) => /^[\w.-]{1,253}$/.test(String(it)))) {
    return names.map(String);
  }
  throw new Refusal('bad-input', 'these are no names of hosts', 'Give names like bots.example.org, without a port.');
}
