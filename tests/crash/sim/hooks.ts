/**
 * What is loaded into a simulation: one protocol for both sides (the runner has a copy of its own, which Node cannot run),
 * and, for a mutant, the source with one thing changed. In this process only; nothing is written.
 */
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';
import { join } from 'node:path';

export type Edit = { file: string; from: string; to: string };

const ROOT = join(import.meta.dirname, '..', '..', '..');
const PROTOCOL = '@halfdoor/protocol/';

/** Throws when an edit does not fit the source exactly once: then the mutant must be written anew. */
export function mutated(source: string, { file, from, to }: Edit): string {
  const parts = source.split(from);
  if (parts.length !== 2) throw new Error(`${file} holds ${parts.length - 1} times: ${from}`);
  return parts.join(to);
}

/** Holds for everything that is imported after it. */
export function loadWith(edits: readonly Edit[]): void {
  const editsOf = Map.groupBy(edits, (it) => pathToFileURL(join(ROOT, it.file)).href);
  registerHooks({
    resolve: (specifier, context, next) => {
      if (!specifier.startsWith(PROTOCOL)) return next(specifier, context);
      const file = join(ROOT, 'protocol', `${specifier.slice(PROTOCOL.length)}.ts`);
      return next(pathToFileURL(file).href, context);
    },
    load: (url, context, next) => {
      const loaded = next(url, context);
      const source = editsOf.get(url)?.reduce(mutated, String(loaded.source));
      return source === undefined ? loaded : { ...loaded, source };
    },
  });
}
