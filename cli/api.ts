/** HTTP over the host's Unix socket. The socket is found by way of <home>/run, which the host writes. */
import { createReadStream, readFileSync } from 'node:fs';
import { request, type IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ApiError } from '../host/api/contract.ts';
import { homeAt } from '../host/home.ts';
import { Failure } from './failure.ts';

/** The host is not there, or went away before it answered. The request may or may not have been taken. */
export class Unreachable extends Error {}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export type Api = {
  /** Throws `Failure` with the host's own words when it refuses, `Unreachable` when it is not there. */
  call<T>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<T>;
  /** As `call`, with what the file holds. Throws `Failure` when it cannot be read. */
  upload<T>(path: string, file: string): Promise<T>;
  /** The open answer of a stream. Throws as `call`. */
  stream(path: string, signal: AbortSignal): Promise<IncomingMessage>;
};

const ANSWER_BYTES = 64 * 1024 * 1024;

export function apiSocketOf(home: string): string | null {
  try {
    const runDir = readFileSync(homeAt(home).runFile, 'utf8').trim();
    return runDir.startsWith('/') ? join(runDir, 'api.sock') : null;
  } catch {
    return null;
  }
}

/** `uid` names the person at the keyboard; whoever can open the socket is an owner all the same. */
export function makeApi(home: string, uid: number): Api {
  const open = (method: string, path: string, body: unknown, signal?: AbortSignal): Promise<IncomingMessage> => {
    const socketPath = apiSocketOf(home);
    if (socketPath === null) return Promise.reject(new Unreachable(`no ${homeAt(home).runFile}`));
    const text = body === undefined || body instanceof Readable ? '' : JSON.stringify(body);
    const headers = {
      host: 'halfdoor',
      'x-halfdoor-uid': String(uid),
      ...(text === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
    };
    return new Promise((resolve, reject) => {
      // A connection of its own each time: one that a host kept open before its restart is of no use after it.
      const outgoing = request({ socketPath, path, method, headers, agent: false, ...(signal && { signal }) }, resolve);
      outgoing.on('error', (error) => reject(isUnreadable(body) ? unreadable(error) : new Unreachable(error.message)));
      if (!(body instanceof Readable)) outgoing.end(text);
      else pipeline(body, outgoing).catch(() => undefined); // the request is told why
    });
  };
  const opened = async (...args: Parameters<typeof open>): Promise<IncomingMessage> => {
    const answer = await open(...args);
    if ((answer.statusCode ?? 500) < 400) return answer;
    throw refusal(answer.statusCode ?? 500, await read(answer));
  };
  return {
    call: async <T>(method: Method, path: string, body?: unknown, signal?: AbortSignal): Promise<T> =>
      parse(await read(await opened(method, path, body, signal))) as T,
    upload: async <T>(path: string, file: string): Promise<T> =>
      parse(await read(await opened('POST', path, createReadStream(file)))) as T,
    stream: (path, signal) => opened('GET', path, undefined, signal),
  };
}

const isUnreadable = (body: unknown): boolean => body instanceof Readable && body.errored !== null;

const unreadable = (error: Error): Failure =>
  new Failure(`the file cannot be read: ${error.message}`, 'Look at its path and who may read it.');

async function read(answer: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of answer as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > ANSWER_BYTES) throw new Error(`the host answered with over ${ANSWER_BYTES} bytes`);
      parts.push(part);
    }
  } catch (error) {
    throw new Unreachable(error instanceof Error ? error.message : String(error));
  }
  return Buffer.concat(parts).toString('utf8');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Failure(
      'the host answered with something that is not JSON',
      'Is it of this version? ./halfdoor stop, then start it.',
    );
  }
}

function refusal(status: number, text: string): Failure {
  const { error, next } = parse(text) as Partial<ApiError>;
  return new Failure(error ?? `the host answered ${status}`, next ?? 'See host.log in the home.');
}

/** The name as one step of a path. */
export const pathStep = (name: string): string => encodeURIComponent(name);
