/** Servers that speak TLS on this machine's loopback, with certificates of a CA that nobody else knows. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export type Authority = { ca: string; key: string; cert: string };
export type TlsServer = { server: Server; port: number };

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** One certificate for all `names`, by a CA made for this test. */
export function makeAuthority(names: readonly string[]): Authority {
  const folder = mkdtempSync(join(tmpdir(), 'hd-ca-'));
  const at = (name: string): string => join(folder, name);
  const openssl = (...words: string[]): void => void execFileSync('openssl', words, { stdio: 'pipe', cwd: folder });
  try {
    const usage = 'basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign\n';
    writeFileSync(at('ca.cnf'), `[req]\ndistinguished_name = dn\nx509_extensions = v3\n[dn]\n[v3]\n${usage}`);
    openssl(
      'req',
      '-x509',
      '-config',
      'ca.cnf',
      ...KEY,
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-days',
      '2',
      '-subj',
      '/CN=test',
    );
    openssl('req', '-new', '-config', 'ca.cnf', ...KEY, '-keyout', 'it.key', '-out', 'it.csr', '-subj', '/CN=it');
    writeFileSync(at('san'), `subjectAltName = ${names.map((name) => `DNS:${name}`).join(', ')}\n`);
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2', '-extfile', 'san'];
    openssl('x509', '-req', '-in', 'it.csr', ...signing, '-out', 'it.pem');
    const read = (name: string): string => readFileSync(at(name), 'utf8');
    return { ca: read('ca.pem'), key: read('it.key'), cert: read('it.pem') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Ends with the test. */
export async function openTls(t: TestContext, { key, cert }: Authority, answer: RequestListener): Promise<TlsServer> {
  const server = createServer({ key, cert }, answer);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port };
}
