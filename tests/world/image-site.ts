/** A checkout of its own that builds its image with what this machine has: its registry, its certificates, its bare Debian. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { IMAGE_LABELS, neededImage } from '../../host/image/needed.ts';
import { Checkout, type Ended } from './checkout.ts';
import { docker, TEST_BASE } from './engine.ts';

export type Listed = {
  needed: string;
  images: { id: string; names: string[]; state: string; misfit: string | null }[];
};

const AUTHORITIES = '/etc/ssl/certs/ca-certificates.crt';

export class Site {
  readonly checkout: Checkout;
  readonly npmrc: string;
  readonly secret = `secret-${crypto.randomUUID()}`;

  constructor(t: TestContext) {
    this.checkout = new Checkout(t);
    this.npmrc = join(this.checkout.folder, 'npmrc');
    // As a person behind a mirror has it: the registry that npm uses here.
    const registry = execFileSync('/usr/bin/npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
    writeFileSync(this.npmrc, `registry=${registry}\n//registry.invalid/:_authToken=${this.secret}\n`);
    const { checkout } = neededImage(this.checkout.root);
    t.after(() => {
      const made = docker('image', 'ls', '--quiet', '--filter', `label=${IMAGE_LABELS.checkout}=${checkout}`);
      const ids = new Set(made.split('\n').filter(Boolean));
      if (ids.size > 0) docker('image', 'rm', '--force', ...ids);
    });
  }

  run(words: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
    const { DOCKER_HOST: engine } = process.env;
    return this.checkout.run(words, { ...env, ...(engine !== undefined && { DOCKER_HOST: engine }) });
  }

  build(...more: string[]): Promise<Ended> {
    const trusted = existsSync(AUTHORITIES) ? ['--ca', AUTHORITIES] : [];
    const site = ['--base', TEST_BASE, '--network', 'host', '--npmrc', this.npmrc, ...trusted];
    return this.run(['image', 'build', ...site, ...more]);
  }

  async list(): Promise<Listed> {
    const { code, out, err } = await this.run(['image', 'list', '--json']);
    assert.equal(code, 0, err);
    return JSON.parse(out) as Listed;
  }

  path(name: string): string {
    return join(this.checkout.root, name);
  }
}
