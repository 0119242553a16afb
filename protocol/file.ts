/** Files that go with messages: their names, the same rule on both sides, and how rows speak of them. */
import { LIMITS } from './limits.ts';
import { bad, record, text, wholeNumber } from './parse.ts';

/** `path`: from the session's own folder, always below in/files/. */
export type InboundFile = { name: string; mime: string; bytes: number; path: string };

/** Control and format characters (bidi among them), separators of lines, halves of characters: what a name can lie with. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;
const MIME = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,62}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}$/;
const UNKNOWN_MIME = 'application/octet-stream';

/** Why this cannot be the name of a file that crosses the door; null when it can. */
export function faultOfName(name: string): string | null {
  if (name === '' || name === '.' || name === '..') return 'it names no file';
  if (name.includes('/')) return 'it is a path, not a name';
  if (UNSEEN.test(name)) return 'it holds characters that cannot be seen';
  return Buffer.byteLength(name) > LIMITS.fileNameBytes ? `it is over ${LIMITS.fileNameBytes} bytes` : null;
}

/** The nearest name that can cross: what comes before the last slash goes, what cannot be seen is shown as `_`. */
export function fittingName(name: string): string {
  const last = name.toWellFormed().split(/[/\\]/).at(-1) ?? '';
  const seen = last.replace(new RegExp(UNSEEN, 'gu'), '_').trim();
  const dot = seen.lastIndexOf('.');
  const ending = dot > 0 && seen.length - dot <= 16 ? seen.slice(dot) : '';
  const fitting = shortened(seen.slice(0, seen.length - ending.length), LIMITS.fileNameBytes - 64) + ending;
  return faultOfName(fitting) === null ? fitting : 'file';
}

function shortened(text: string, maxBytes: number): string {
  let kept = text;
  while (Buffer.byteLength(kept) > maxBytes)
    kept = kept
      .slice(0, -1)
      .toWellFormed()
      .replace(/\ufffd$/, '');
  return kept;
}

/** `name`, or with a number before its ending the first that is not `taken`. */
export function freeName(name: string, taken: (name: string) => boolean): string {
  const dot = name.lastIndexOf('.');
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ''];
  for (let n = 1; ; n++) {
    const free = n === 1 ? name : `${stem}-${n}${ending}`;
    if (!taken(free)) return free;
  }
}

const SENT_AS = /^[0-9a-f]{16}-/;

/**
 * The name of a copy in out/files/: the same bytes under the same name have the same, so that a turn that is made again
 * sends the same file.
 */
export const sentName = (name: string, sha256: string): string => `${sha256.slice(0, 16)}-${fittingName(name)}`;

/** What people see of such a name. */
export function shownName(sent: string): string {
  const shown = sent.replace(SENT_AS, '');
  return faultOfName(shown) === null ? shown : sent;
}

/** A media type as it may stand in a row and in a header; what is none becomes the type of anything. */
export const fittingMime = (mime: string): string => {
  const [type = ''] = mime.trim().toLowerCase().split(';');
  return MIME.test(type) ? type : UNKNOWN_MIME;
};

const IN_PLACE = /^in\/files\/[0-9a-f-]{36}\/([^/]+)$/;

export function parseInFiles(value: unknown): InboundFile[] {
  if (!Array.isArray(value) || value.length > LIMITS.attachments) return bad('files is not a short list');
  return value.map((each) => {
    const it = record(each, 'files');
    const name = text(it.name, 'files.name', LIMITS.fileNameBytes);
    const mime = text(it.mime, 'files.mime', 128);
    const path = text(it.path, 'files.path', LIMITS.pathBytes);
    const last = IN_PLACE.exec(path)?.[1];
    if (last === undefined || faultOfName(last) !== null || faultOfName(name) !== null)
      return bad('files.path is not below in/files/');
    if (!MIME.test(mime)) return bad('files.mime is no media type');
    return { name, mime, bytes: wholeNumber(it.bytes, 'files.bytes'), path };
  });
}

/** Absent in what was written before there were any. */
export function parseOutFiles(value: unknown): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value) || value.length > LIMITS.outboundFiles) return bad('content.files is not a short list');
  const names = value.map((it) => text(it, 'content.files', LIMITS.fileNameBytes));
  for (const name of names) {
    const fault = faultOfName(name);
    if (fault !== null) return bad(`content.files has ${JSON.stringify(name)}: ${fault}`);
  }
  return new Set(names).size === names.length ? names : bad('content.files names a file twice');
}
