import type { SentFile } from '../host/api/contract.ts';

const KB = 1024;
const MB = KB * KB;

/** `file report.pdf, 12 KB: /path/to/it`, one line for each, after the text they came with. */
export const withFiles = (text: string, files: readonly SentFile[] = []): string =>
  [...(text === '' && files.length > 0 ? [] : [text]), ...files.map(line)].join('\n');

const line = ({ name, bytes, path }: SentFile): string => `file ${name}, ${size(bytes)}: ${path}`;

function size(bytes: number): string {
  if (bytes < KB) return `${bytes} bytes`;
  return bytes < MB ? `${Math.round(bytes / KB)} KB` : `${(bytes / MB).toFixed(1)} MB`;
}
