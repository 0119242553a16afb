/** One line of host.log for people. */
import { visible } from '../visible.ts';

type Entry = { at: string; level: string; scope: string; message: string } & Record<string, unknown>;

const LEVEL_WIDTH = 5;

/** `2026-01-31 14:05:09.123 info  host: message key=value`, in the zone of `timeOf`; a line that is no entry as it stands. */
export function readable(line: string, timeOf: (at: Date) => string = localTime): string {
  const entry = parse(line);
  if (!entry) return oneLine(line);
  const { at, level, scope, message, ...fields } = entry;
  const more = Object.entries(fields).map(([key, value]) => `${key}=${fieldText(value)}`);
  return oneLine([timeOf(new Date(at)), level.padEnd(LEVEL_WIDTH), `${scope}:`, message, ...more].join(' '));
}

/** The line as it was written, without a character that could drive a terminal; JSON still parses to the same value. */
export function raw(line: string): string {
  if (parse(line) === null) return oneLine(line);
  return line.replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function parse(line: string): Entry | null {
  try {
    const value = JSON.parse(line) as Partial<Entry> | null;
    const isEntry = [value?.at, value?.level, value?.scope, value?.message].every((it) => typeof it === 'string');
    return isEntry && !Number.isNaN(Date.parse(String(value?.at))) ? (value as Entry) : null;
  } catch {
    return null;
  }
}

/** Text bare where it is one word, else as JSON: so that it can be told where it ends. */
function fieldText(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

const oneLine = (text: string): string => visible(text).replaceAll('\n', '\u240a').replaceAll('\t', ' ');

function localTime(at: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  const time = [at.getHours(), at.getMinutes(), at.getSeconds()].map(two).join(':');
  return `${day} ${time}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}
