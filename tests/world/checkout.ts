/** A checkout of its own, as git would clone it, with an npm and a Bun that bring nothing from outside. */
import { spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { bunPath, ROOT } from './programs.ts';

export type Ended = { code: number | null; out: string; err: string };

/** The checkout as git would clone it, without what was brought; a fake npm in PATH that notes each call. */
export class Checkout {
  readonly folder: string;
  readonly root: string;
  readonly calls: string;
  readonly env: Record<string, string>;

  constructor(t: TestContext) {
    this.folder = realpathSync(mkdtempSync(join(tmpdir(), 'hd-launch-')));
    this.root = join(this.folder, 'a checkout');
    this.calls = join(this.folder, 'calls');
    for (const name of [
      'halfdoor',
      'package.json',
      'package-lock.json',
      'tsconfig.json',
      'protocol',
      'host',
      'cli',
      'runner',
      'image',
    ]) {
      cpSync(join(ROOT, name), join(this.root, name), {
        recursive: true,
        filter: (it) => !/\/(node_modules|tests)$/.test(it),
      });
    }
    mkdirSync(join(this.root, 'runtime'));
    for (const name of ['package.json', 'package-lock.json'])
      cpSync(join(ROOT, 'runtime', name), join(this.root, 'runtime', name));
    const bin = join(this.folder, 'bin');
    mkdirSync(bin);
    writeFileSync(this.calls, '');
    writeFileSync(join(bin, 'npm'), this.#npm(), { mode: 0o755 });
    this.env = { PATH: `${bin}:/usr/bin:/bin`, HOME: this.folder };
    t.after(() => rmSync(this.folder, { recursive: true, force: true }));
  }

  /** Links to what this checkout of ours has. Bun is a wrapper, so that its installing brings nothing either. */
  #npm(): string {
    const [bun, pinned] = [bunPath(), join(ROOT, 'runtime', 'node_modules')];
    return `#!/bin/sh
echo "$PWD $*" >>'${this.calls}'
[ -z "$FAKE_NPM_FAULT" ] || { echo "npm error code $FAKE_NPM_FAULT" >&2; exit 1; }
[ -z "$FAKE_NPM_NOTHING" ] || { echo "npm http fetch GET attempt failed with $FAKE_NPM_NOTHING" >&2; exit 0; }
[ -z "$FAKE_NPM_HANG" ] || { : >'${this.folder}/hanging'; exec sleep 600; }
rm -rf node_modules && mkdir node_modules
case $PWD in
  */runtime)
    for it in '${pinned}'/node-*; do ln -s "$it" node_modules/; done
    mkdir -p 'node_modules/@oven/${bun.split('/').at(-3)}/bin'
    cat >'node_modules/@oven/${bun.split('/').at(-3)}/bin/bun' <<'END'
#!/bin/sh
[ "$1" = --version ] || echo "bun $*" >>'${this.calls}'
if [ "$1" = --version ]; then echo 1.4.5
elif [ "$1" = install ]; then ln -sfn '${join(ROOT, 'runner', 'node_modules')}'/* runner/node_modules/ 2>/dev/null || mkdir -p runner/node_modules
else mkdir -p "$2" && echo made | tee "$2/reader.js" >"$2/runner.js"; fi
END
    chmod +x 'node_modules/@oven/${bun.split('/').at(-3)}/bin/bun' ;;
  *) for it in '${join(ROOT, 'node_modules')}'/*; do ln -s "$it" node_modules/; done ;;
esac
`;
  }

  start(words: readonly string[], env: Record<string, string> = {}, file = join(this.root, 'halfdoor')) {
    const child = spawn(file, words, {
      cwd: '/',
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let [out, err] = ['', ''];
    child.stdout.on('data', (part) => (out += String(part)));
    child.stderr.on('data', (part) => (err += String(part)));
    return { child, ended: new Promise<Ended>((resolve) => child.on('close', (code) => resolve({ code, out, err }))) };
  }

  run(words: readonly string[], env?: Record<string, string>, file?: string): Promise<Ended> {
    return this.start(words, env, file).ended;
  }

  /** How often npm and Bun were asked to do something, since the last time. */
  asked(): string[] {
    const lines = readFileSync(this.calls, 'utf8').trim().split('\n');
    writeFileSync(this.calls, '');
    return lines
      .filter((it) => it !== '')
      .map((it) => (it.startsWith('bun') ? it.split(' ').slice(0, 2).join(' ') : it.replace(this.root, '')));
  }
}
