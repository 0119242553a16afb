/** /etc as it stands inside: made by the host, the same for all sessions of an install; nothing of the machine's own. */
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** Where certificates are looked for inside, as on Debian; and where else machines keep theirs (Fedora, Alpine, SUSE). */
const CERTIFICATES = '/etc/ssl/certs/ca-certificates.crt';
const KEPT_AT = [CERTIFICATES, '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem', '/etc/ssl/ca-bundle.pem'];

/** Makes or renews the folder; cheap enough for every start of the host. */
export function makeEtc(folder: string, label: string): string {
  for (const dir of ['alternatives', join('ssl', 'certs')])
    mkdirSync(join(folder, dir), { recursive: true, mode: 0o755 });
  const files: Record<string, string> = {
    passwd: 'root:x:0:0:root:/nonexistent:/usr/sbin/nologin\nagent:x:1000:1000:agent:/s/work/home:/bin/sh\n',
    group: 'root:x:0:\nagent:x:1000:\n',
    hosts: '127.0.0.1 localhost agent\n',
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files\n',
    'resolv.conf': '',
    'machine-id': `${createHash('sha256').update(`machine ${label}`).digest('hex').slice(0, 32)}\n`,
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content, { mode: 0o644 });
  if (existsSync('/etc/ld.so.cache')) copyFileSync('/etc/ld.so.cache', join(folder, 'ld.so.cache'));
  const kept = KEPT_AT.find((path) => existsSync(path));
  if (kept !== undefined) copyFileSync(kept, join(folder, CERTIFICATES.slice('/etc/'.length)));
  return folder;
}
