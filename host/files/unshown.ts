/** What a person reads where their platform shows no files. */
import type { DeliveryContent } from '../outbound/ledger.ts';

/** The text, with a word of each file that cannot be shown. */
export function textFor({ text, files = [] }: DeliveryContent, hasFiles: boolean): string {
  if (hasFiles || files.length === 0) return text;
  const names = files.map(({ name, bytes }) => `${name} (${bytes} bytes)`).join(', ');
  const note = `(A file was sent with this that cannot be shown here: ${names})`;
  return text === '' ? note : `${text}\n${note}`;
}
