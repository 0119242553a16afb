/** The network of this machine, as an argument: tests stand behind it, and no check knows the difference. */
import { Resolver } from 'node:dns/promises';
import { connect, type Socket } from 'node:net';

export type Outside = {
  /** Every address of a name, those to be tried first at the front. Rejects, or gives none, where there is none. */
  resolve(host: string): Promise<string[]>;
  /** Begins to connect; the other side may end its half and still be written to. Never throws. */
  dial(address: string, port: number): Socket;
};

const RESOLVER = { timeout: 2_000, tries: 2 };

/**
 * Asks name servers and nobody else: no file of this machine gives a name another meaning, and a name that is slow to
 * answer holds no thread that the host needs. `servers` null: those of this machine, as they stand at each question,
 * since a laptop changes them.
 */
export const outsideBy = (servers: readonly string[] | null): Outside => ({
  resolve: async (host) => {
    const resolver = new Resolver(RESOLVER);
    if (servers !== null) resolver.setServers(servers);
    const [four, six] = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
    return [four, six].flatMap((it) => (it.status === 'fulfilled' ? it.value : []));
  },
  dial: (address, port) => connect({ host: address, port, allowHalfOpen: true }),
});

export const systemOutside: Outside = outsideBy(null);
