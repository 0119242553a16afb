import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The document as it stands in docs/, read when it is asked for. */
export const openApi = (): string =>
  readFileSync(join(import.meta.dirname, '..', '..', '..', 'docs', 'openapi.json'), 'utf8');
