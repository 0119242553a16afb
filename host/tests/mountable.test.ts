/** What may be given to an agent, as a table: every rule with what it refuses, and what it lets pass. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseMounts } from '../agents/folder-look.ts';
import { plainPath, refusalOf, type FolderLook, type Surroundings } from '../agents/mountable.ts';

/** Every step's identity is its own path, unless told otherwise. */
const chainOf = (path: string): string[] => {
  const names = path.split('/').filter(Boolean);
  return ['/', ...names.map((_, at) => `/${names.slice(0, at + 1).join('/')}`)];
};

const look = (path: string, more: Partial<FolderLook> = {}): FolderLook => ({
  found: 'folder',
  path,
  chain: chainOf(path),
  mayChange: true,
  secretFolders: [],
  secretFiles: [],
  ...more,
});

const AROUND: Surroundings = {
  user: 'halfdoor',
  ownHome: '/var/lib/halfdoor',
  homes: ['/var/lib/halfdoor', '/home/ada', '/srv/people/bob', '/var/www'],
  guarded: [
    { what: 'the home of Halfdoor', chain: chainOf('/data/halfdoor/home') },
    { what: 'the Node', chain: chainOf('/opt/node/bin/node') },
  ],
  mounts: [
    { path: '/', type: 'ext4' },
    { path: '/srv/chroot/proc', type: 'proc' },
    { path: '/media/disk', type: 'ext4' },
    { path: '/media/odd', type: 'proc' },
  ],
};

const REFUSED: [path: string, says: RegExp, more?: Partial<FolderLook>][] = [
  ['/', /whole machine/],
  ['/etc', /system/],
  ['/usr/share/x', /system/],
  ['/var/lib/other', /system/],
  ['/var', /system/],
  ['/root/project', /system/],
  ['/tmp', /programs/],
  ['/tmp/ssh-abc', /programs/],
  ['/tmp/tmux-1000/x', /programs/],
  ['/tmp/.X11-unix', /programs/],
  ['/tmp/halfdoor-999-0a1b2c3d', /programs/],
  ['/home', /holds the home \/home\/ada/],
  ['/home/ada', /somebody's home/],
  ['/home/unlisted', /somebody's home/],
  ['/srv/people', /holds the home/],
  ['/var/lib/halfdoor', /system|home/],
  ['/data/halfdoor/home', /is the home of Halfdoor/],
  ['/data/halfdoor/home/agents/x', /lies in the home of Halfdoor/],
  ['/data', /holds the home of Halfdoor/],
  ['/opt/node', /holds the Node/],
  ['/srv/.ssh', /credentials \(\.ssh\)/],
  ['/srv/x/.AWS/y', /credentials/],
  ['/home/ada/.config', /credentials/],
  ['/home/ada/.config/gcloud/x', /credentials/],
  ['/home/ada/.local/share/keyrings', /credentials/],
  ['/srv/id_rsa.d', /credentials/],
  ['/srv/prod.pem', /credentials/],
  ['/srv/.env', /credentials/],
  ['/srv/secrets', /credentials/],
  ['/srv/like-home', /holds \.ssh/, { secretFolders: ['.ssh'] }],
  ['/srv/chroot', /mounted inside, at \/srv\/chroot\/proc/],
  ['/media', /mounted inside/],
  ['/media/odd/1', /no folder of files \(proc\)/],
  ['/srv/theirs', /user halfdoor, as which the host runs, cannot read and write/, { mayChange: false }],
  // The same folders under another name, as a bind mount has them.
  ['/mnt/alias', /is the home of Halfdoor/, { chain: ['/', '/mnt', '/data/halfdoor/home'] }],
  ['/mnt/alias/in', /lies in the home/, { chain: ['/', '/mnt', '/data/halfdoor/home', '/data/halfdoor/home/in'] }],
  ['/mnt/alias', /holds the home/, { chain: ['/', '/mnt', '/data/halfdoor'] }],
];

for (const [path, says, more] of REFUSED) {
  test(`refused: ${path} ${JSON.stringify(more ?? {})}`, () => {
    const fault = refusalOf(look(path, more), AROUND);
    assert.match(fault?.fault ?? 'not refused', says);
    assert.match(fault?.next ?? '', /\w+ \w+/);
  });
}

const FREE = [
  '/srv/project',
  '/home/ada/code/project',
  '/var/lib/halfdoor/projects',
  '/var/www/site',
  '/tmp/project',
  '/media/disk/photos',
  '/opt/other',
  '/home/ada/.config/nvim',
  '/srv/secretsauce',
  '/srv/environment',
  '/etcetera',
  '/srv/people/bob/work',
];

for (const path of FREE) {
  test(`may be given: ${path}`, () => assert.equal(refusalOf(look(path, { secretFiles: ['.env'] }), AROUND), null));
}

test('own home below a tree of the system is free only below itself', () => {
  const around = { ...AROUND, ownHome: '/root', homes: ['/root'] };
  assert.equal(refusalOf(look('/root/project'), around), null);
  assert.notEqual(refusalOf(look('/root'), around), null);
  assert.notEqual(refusalOf(look('/etc/x'), { ...around, ownHome: '/etc' }), null);
});

test('what is no folder is refused with the step that ended the look, and a link with where it really leads', () => {
  const path = '/srv/a/b';
  const said = (it: Parameters<typeof refusalOf>[0]): string => JSON.stringify(refusalOf(it, AROUND));
  assert.match(said({ found: 'nothing', path, at: '/srv/a' }), /no \/srv\/a/);
  assert.match(said({ found: 'no-folder', path, at: '/srv/a' }), /\/srv\/a is not a folder/);
  assert.match(said({ found: 'closed', path, at: '/srv' }), /cannot enter \/srv.*setfacl -m u:halfdoor:x \/srv/);
  const link = { found: 'link' as const, path, at: '/srv/a', leadsTo: '../x' };
  assert.match(said({ ...link, real: '/x/b c' }), /\/srv\/a is a link to \.\.\/x.*real path: '\/x\/b c'/);
  assert.match(said({ ...link, real: null }), /leads to nothing/);
});

test('a path in its plain form, or none', () => {
  assert.deepEqual(plainPath('//srv/./project/'), { path: '/srv/project' });
  assert.deepEqual(plainPath('/'), { path: '/' });
  for (const path of ['', 'srv', './srv', '/a/..', '/a\0b', '/a\u001bb', '/a\ud800', `/${'x'.repeat(4096)}`]) {
    assert.ok('fault' in plainPath(path), path);
  }
});

test('mounts are read as the kernel writes them', () => {
  const text = [
    '22 28 0:21 / /proc rw,nosuid - proc proc rw',
    '30 28 8:1 /a /mnt/a\\040b\\134c rw,relatime shared:1 - ext4 /dev/sda1 rw',
    '',
    'garbage',
  ].join('\n');
  assert.deepEqual(parseMounts(text), [
    { path: '/proc', type: 'proc' },
    { path: '/mnt/a b\\c', type: 'ext4' },
  ]);
});
