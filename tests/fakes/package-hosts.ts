/** What package managers and git ask their hosts for, as far as one small package of each kind needs it. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

const WHEEL = 'tiny-1.0-py3-none-any.whl';
const MAKE_WHEEL = `import sys, zipfile
z = zipfile.ZipFile(sys.argv[1], 'w')
z.writestr('tiny.py', 'value = 42')
z.writestr('tiny-1.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: tiny\\nVersion: 1.0\\n')
z.writestr('tiny-1.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: t\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
z.writestr('tiny-1.0.dist-info/RECORD', '')
`;

/** github.com/o/r.git and the npm package `tiny`. Gone with the test. */
export function codeHosts(t: TestContext): Record<string, RequestListener> {
  const { folder, sh } = makeFolder(t);
  const who = '-c user.name=t -c user.email=t@t.example';
  sh(`git init -q work && cd work && echo hello > README && git add . && git ${who} commit -qm one`);
  sh('mkdir o && git clone -q --bare work o/r.git && git -C o/r.git update-server-info');
  mkdirSync(join(folder, 'package'));
  const manifest = { name: 'tiny', version: '1.0.0', main: 'index.js' };
  writeFileSync(join(folder, 'package', 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'package', 'index.js'), 'module.exports = 42;');
  sh('tar -czf tiny.tgz package');
  return {
    'github.com': files(folder),
    'registry.npmjs.org': registry(manifest, readFileSync(join(folder, 'tiny.tgz'))),
  };
}

/** The Python package `tiny`, listed by one host and kept by another. */
export function pythonHosts(t: TestContext): Record<string, RequestListener> {
  const { folder, sh } = makeFolder(t);
  writeFileSync(join(folder, 'wheel.py'), MAKE_WHEEL);
  sh(`python3 wheel.py ${WHEEL}`);
  const wheel = readFileSync(join(folder, WHEEL));
  return {
    'pypi.org': (asked, answer) => {
      const found = asked.url === '/simple/tiny/';
      answer.writeHead(found ? 200 : 404, { 'content-type': 'text/html' });
      answer.end(found ? `<a href="https://files.pythonhosted.org/${WHEEL}">${WHEEL}</a>` : '');
    },
    'files.pythonhosted.org': (_asked, answer) => answer.end(wheel),
  };
}

function makeFolder(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'hd-packages-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const sh = (command: string): void => void execFileSync('/bin/sh', ['-ec', command], { cwd: folder, stdio: 'pipe' });
  return { folder, sh };
}

/** git's plain way (gitprotocol-http(5), "dumb" clients). */
function files(folder: string): RequestListener {
  return (asked, answer) => {
    const path = join(folder, new URL(asked.url ?? '/', 'https://x').pathname);
    const found = path.startsWith(folder) && existsSync(path) && statSync(path).isFile();
    answer.writeHead(found ? 200 : 404).end(found ? readFileSync(path) : '');
  };
}

function registry(manifest: { name: string; version: string }, tarball: Buffer): RequestListener {
  const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
  const dist = { tarball: 'https://registry.npmjs.org/tiny/-/tiny-1.0.0.tgz', integrity };
  const versions = { [manifest.version]: { ...manifest, dist } };
  const packument = JSON.stringify({ name: 'tiny', 'dist-tags': { latest: manifest.version }, versions });
  return (asked, answer) => {
    if (asked.url === '/tiny') answer.writeHead(200, { 'content-type': 'application/json' }).end(packument);
    else if (asked.url?.endsWith('.tgz')) answer.end(tarball);
    else answer.writeHead(404, { 'content-type': 'application/json' }).end('{}');
  };
}
