/** Empty session files, made by the host from the only schema text there is. */
import { closeSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { dirname } from 'node:path';
import type { Durable } from './durable.ts';

export const inboundSchema = (): string => readFileSync(new URL('./inbound.sql', import.meta.url), 'utf8');
export const outboundSchema = (): string => readFileSync(new URL('./outbound.sql', import.meta.url), 'utf8');

function sync(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes `path` with `schema`, whole or not at all; it must not exist. File and folder are synced before this returns. */
export function makeTemplate(path: string, schema: string, durable: Durable): void {
  durable('template', () => {
    closeSync(openSync(path, 'wx', 0o600));
    const db = new DatabaseSync(path);
    try {
      db.exec('pragma journal_mode = persist; pragma synchronous = full;');
      db.exec(`begin; ${schema}; commit`);
    } finally {
      db.close();
    }
    sync(path);
    sync(dirname(path));
  });
}

/** The schema text of a session file of this version, as SQLite stores it: what the reader compares against. */
export function schemaFingerprint(schema: string): string {
  const db = new DatabaseSync(':memory:');
  try {
    db.exec(schema);
    return JSON.stringify(db.prepare(SCHEMA_QUERY).all());
  } finally {
    db.close();
  }
}

export const SCHEMA_QUERY = 'select type, name, tbl_name, sql from sqlite_schema order by type, name limit 50';
