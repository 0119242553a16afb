/**
 * What the host holds for others and shows to nobody: kept sealed in central, or found in its own environment at its
 * start and kept in memory only. A kept one goes before one of the environment.
 */
import type { Durable } from '@halfdoor/protocol/durable';
import type { SecretView } from '../api/contract.ts';
import { audit } from '../authority/audit.ts';
import type { Central } from '../db/central.ts';
import type { Ids } from '../ids.ts';
import { errorText, type Log } from '../log.ts';
import { Refusal } from '../refusal.ts';
import { makeKey, readKey } from './key-file.ts';
import type { Redactor } from './redact.ts';
import { NONCE_BYTES, seal, unseal } from './seal.ts';
import { checkName, checkValue } from './secret-text.ts';

export type SecretsDeps = {
  central: Central;
  keyFile: string;
  uid: number;
  ids: Ids;
  now(): string;
  random(bytes: number): Buffer;
  durable: Durable;
  log: Log;
  redactor: Redactor;
  environment: Readonly<Record<string, string>>;
};

export type Found = { ok: true; value: string } | { ok: false; fault: string; next: string };

/** `value` is null where the row does not open. */
type Kept = { value: string | null; updatedAt: string };

export class Secrets {
  readonly #deps: SecretsDeps;
  readonly #kept = new Map<string, Kept>();
  #key: Buffer | null = null;

  private constructor(deps: SecretsDeps) {
    this.#deps = deps;
  }

  /** Never throws for a key file or a row that is spoiled: each such secret says so when it is asked for. */
  static async open(deps: SecretsDeps): Promise<Secrets> {
    const secrets = new Secrets(deps);
    for (const [name, value] of Object.entries(deps.environment)) deps.redactor.know(name, value);
    try {
      secrets.#key = readKey(deps.keyFile, deps.uid);
    } catch (error) {
      deps.log.error('secrets cannot be opened', { error: errorText(error) });
    }
    const rows = await deps.central.read.selectFrom('secrets').selectAll().execute();
    for (const { name, nonce, sealed, updated_at: updatedAt } of rows) {
      const value = secrets.#key && unseal(secrets.#key, name, { nonce, sealed });
      secrets.#kept.set(name, { value, updatedAt });
      if (value === null) deps.log.error('a secret cannot be opened', { secret: name });
      else deps.redactor.know(name, value);
    }
    return secrets;
  }

  /** As it stands now: asked for at each use, so that a change holds from the next one on. */
  lookUp(name: string): Found {
    const next = `Set it: halfdoor secrets set ${name}`;
    const kept = this.#kept.get(name);
    if (kept?.value === null) {
      return { ok: false, fault: `the secret ${name} cannot be opened with the key in ${this.#deps.keyFile}`, next };
    }
    const value = kept?.value ?? this.#environment(name);
    return value === null ? { ok: false, fault: `there is no secret ${name}`, next } : { ok: true, value };
  }

  #environment(name: string): string | null {
    const { environment } = this.#deps;
    return Object.hasOwn(environment, name) ? (environment[name] ?? null) : null;
  }

  /** Throws `Refusal` for a bad name or value, and for a key file that is not ours alone. */
  async set(name: unknown, value: unknown, actor: string): Promise<SecretView> {
    const checked = { name: checkName(name), value: checkValue(value) };
    const { central, random, redactor, ids, now } = this.#deps;
    redactor.know(checked.name, checked.value);
    const { nonce, sealed } = seal(this.#ensureKey(), checked.name, checked.value, random(NONCE_BYTES));
    const updated_at = now();
    await central.commit('secret', async (tx) => {
      await tx
        .insertInto('secrets')
        .values({ name: checked.name, nonce, sealed, updated_at })
        .onConflict((conflict) => conflict.column('name').doUpdateSet({ nonce, sealed, updated_at }))
        .execute();
      await audit(tx, { id: ids(), at: updated_at, actor, action: 'set_secret', target: checked.name });
    });
    this.#kept.set(checked.name, { value: checked.value, updatedAt: updated_at });
    return this.#view(checked.name);
  }

  /** The file is looked at each time: who mends it need not start the host again. */
  #ensureKey(): Buffer {
    const { keyFile, uid, random, durable } = this.#deps;
    this.#key = readKey(keyFile, uid) ?? makeKey(keyFile, random, durable);
    return this.#key;
  }

  /** Throws `Refusal` when none of this name is kept. */
  async remove(name: unknown, actor: string): Promise<void> {
    const checked = checkName(name);
    const { central, ids, now } = this.#deps;
    if (!this.#kept.has(checked)) throw this.#notKept(checked);
    await central.commit('secret', async (tx) => {
      await tx.deleteFrom('secrets').where('name', '=', checked).execute();
      await audit(tx, { id: ids(), at: now(), actor, action: 'remove_secret', target: checked });
    });
    this.#kept.delete(checked);
  }

  #notKept(name: string): Refusal {
    if (this.#environment(name) === null) {
      return new Refusal('not-found', `there is no secret ${name}`, 'See `halfdoor secrets list`.');
    }
    const next = 'Start the host again without it.';
    return new Refusal('not-found', `${name} is not kept here: the host has it from its environment`, next);
  }

  /** By name. No value ever comes out here. */
  async list(): Promise<SecretView[]> {
    const names = new Set([...this.#kept.keys(), ...Object.keys(this.#deps.environment)]);
    return Promise.all([...names].toSorted().map((name) => this.#view(name)));
  }

  async #view(name: string): Promise<SecretView> {
    const kept = this.#kept.get(name);
    const users = await this.#deps.central.read
      .selectFrom('agents')
      .select('name')
      .where('key', '=', name)
      .where('deleted_at', 'is', null)
      .orderBy('name')
      .execute();
    const usedBy = users.map((it) => it.name);
    return { name, from: kept ? 'kept' : 'environment', updatedAt: kept?.updatedAt ?? null, usedBy };
  }
}
