// needs: userns, npm, pip
/** What people let agents reach first: code and packages, each by the program that fetches it, inside a real sandbox. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { codeHosts, pythonHosts } from '../fakes/package-hosts.ts';
import { change, giveAuthority, openOutside, trusting } from '../world/outside.ts';

const BUN_FETCH = `/app/bun -e "console.log((await fetch('https://registry.npmjs.org/tiny')).status)"`;
const PYTHON = `python3 -c "import urllib.request as u; print(u.urlopen('https://pypi.org/simple/tiny/').status)"`;

/** `says`: what the program itself prints of a refusal, where it prints any of it. */
const PROGRAMS: readonly { preset: string; command: string; host: string; says: RegExp; works: RegExp }[] = [
  {
    preset: 'github',
    command: 'git clone -q https://github.com/o/r.git && cat r/README',
    host: 'github.com',
    says: /unable to access .* CONNECT tunnel failed, response 403/,
    works: /^hello$/,
  },
  {
    preset: 'npm',
    command: 'mkdir -p n && cd n && npm install --no-audit --no-fund tiny && node -p "require(\'tiny\')"',
    host: 'registry.npmjs.org',
    says: /npm (error|ERR!).* agents allow maya registry\.npmjs\.org/,
    works: /added 1 package.*\n42$/s,
  },
  {
    preset: 'npm',
    command: "mkdir -p b && cd b && echo '{}' > package.json && /app/bun add tiny && cat node_modules/tiny/index.js",
    host: 'registry.npmjs.org',
    says: /ProxyConnectFailed \(403\)/,
    works: /module\.exports = 42;$/,
  },
  { preset: 'npm', command: BUN_FETCH, host: 'registry.npmjs.org', says: /maya may not reach/, works: /^200$/ },
  {
    preset: 'pypi',
    command: 'pip3 download --no-cache-dir --retries 0 --disable-pip-version-check tiny && ls *.whl',
    host: 'pypi.org',
    says: /Tunnel connection failed: 403 maya may not reach pypi\.org|No matching distribution/,
    works: /tiny-1\.0-py3-none-any\.whl$/,
  },
  { preset: 'pypi', command: PYTHON, host: 'pypi.org', says: /Tunnel connection failed: 403/, works: /^200$/ },
];

test('refused by name and command without the preset, done with it', { timeout: 240_000 }, async (t) => {
  const it = await openOutside(t, { ...codeHosts(t), ...pythonHosts(t) });
  const { world } = it;
  const env = trusting(await giveAuthority(it));
  const run = (command: string): Promise<string> => world.reply('maya', `@shell export ${env}; ${command}`);
  for (const { command, host, says } of PROGRAMS) {
    const said = await run(command);
    assert.match(said, says);
    const told = `(network: maya may not reach ${host}. Its owner allows it with: ./halfdoor agents allow maya ${host})`;
    assert.ok(said.includes(told), said);
  }
  for (const preset of ['github', 'npm', 'pypi']) await change(world, 'PUT', preset);
  for (const { command, works } of PROGRAMS) assert.match(await run(command), works, command);
});
