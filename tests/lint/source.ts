/** One file as the lints see it: what is code, what stands in strings, what is imported. */

export type Import = { from: string; typeOnly: boolean; line: number };

export type Source = {
  /** Path from the root of the checkout. */
  path: string;
  text: string;
  /** The text with comments and the insides of strings blanked; offsets and lines stay. */
  code: string;
  strings: { value: string; line: number }[];
  imports: Import[];
};

export type Finding = { path: string; line: number; what: string };

/** A lint over the whole tree. */
export type Lint = { name: string; run(sources: readonly Source[]): Finding[] };

export const lineAt = (text: string, offset: number): number => text.slice(0, offset).split('\n').length;

export function readSource(path: string, text: string): Source {
  const { code, spans } = split(text);
  const strings = spans.map(({ start, end }) => ({ value: text.slice(start, end), line: lineAt(text, start) }));
  return { path, text, code, strings, imports: findImports(code, spans, text) };
}

type Span = { start: number; end: number };

/** `import … from`, `export … from`, bare and lazy imports; each takes the string that stands right after it. */
function findImports(code: string, spans: readonly Span[], text: string): Import[] {
  const found: Import[] = [];
  for (const match of code.matchAll(/\b(?:import|export)\b([^;'"`]*?)(?:\bfrom\s*|\(\s*|\s*)(?=['"`])/g)) {
    const span = spans.find(({ start }) => start === match.index + match[0].length + 1);
    const between = match[1] ?? '';
    const isFrom = /\bfrom\s*$/.test(match[0]) || /^import\s*\(?\s*$/.test(match[0]);
    if (span === undefined || !isFrom) continue;
    const line = lineAt(text, match.index);
    found.push({ from: text.slice(span.start, span.end), typeOnly: /^\s*type\b/.test(between), line });
  }
  return found;
}

/** After one of these a slash begins a regular expression, not a division. */
const BEFORE_REGEX = /(?:^|[=(,:;!&|?{}[\]+\-*%<>~^]|\b(?:return|typeof|case|in|of|await|yield|void|delete))\s*$/;

type Scan = { text: string; code: string[]; spans: Span[]; at: number };

function split(text: string): { code: string; spans: Span[] } {
  const scan: Scan = { text, code: text.split(''), spans: [], at: 0 };
  readCode(scan, null);
  return { code: scan.code.join(''), spans: scan.spans };
}

function blank({ code }: Scan, start: number, end: number): void {
  for (let i = start; i < end; i++) if (code[i] !== '\n') code[i] = ' ';
}

/** Until the closing brace of a template's `${…}`, or the end. */
function readCode(scan: Scan, closing: '}' | null): void {
  const { text } = scan;
  let depth = 0;
  while (scan.at < text.length) {
    const it = text[scan.at];
    const two = text.slice(scan.at, scan.at + 2);
    if (two === '//') skipTo(scan, '\n', 0);
    else if (two === '/*') skipTo(scan, '*/', 2);
    else if (it === "'" || it === '"') readString(scan, it);
    else if (it === '`') readTemplate(scan);
    else if (it === '/' && BEFORE_REGEX.test(scan.code.slice(Math.max(0, scan.at - 40), scan.at).join('')))
      readRegex(scan);
    else if (it === '{') depth += step(scan);
    else if (it === '}' && closing !== null && depth === 0) return;
    else if (it === '}') depth -= step(scan);
    else scan.at++;
  }
}

function skipTo(scan: Scan, mark: string, extra: number): void {
  const found = scan.text.indexOf(mark, scan.at + 2);
  const end = found === -1 ? scan.text.length : found + extra;
  blank(scan, scan.at, end);
  scan.at = end;
}

function readString(scan: Scan, quote: string): void {
  const start = ++scan.at;
  while (scan.at < scan.text.length && scan.text[scan.at] !== quote && scan.text[scan.at] !== '\n') {
    scan.at += scan.text[scan.at] === '\\' ? 2 : 1;
  }
  scan.spans.push({ start, end: scan.at });
  blank(scan, start, scan.at);
  scan.at++;
}

function readTemplate(scan: Scan): void {
  let start = ++scan.at;
  const part = (): void => {
    scan.spans.push({ start, end: scan.at });
    blank(scan, start, scan.at);
  };
  while (scan.at < scan.text.length && scan.text[scan.at] !== '`') {
    if (scan.text[scan.at] === '\\') scan.at += 2;
    else if (scan.text.startsWith('${', scan.at)) {
      part();
      scan.at += 2;
      readCode(scan, '}');
      start = ++scan.at;
    } else scan.at++;
  }
  part();
  scan.at++;
}

function readRegex(scan: Scan): void {
  const start = ++scan.at;
  let inClass = false;
  while (scan.at < scan.text.length && scan.text[scan.at] !== '\n') {
    const it = scan.text[scan.at];
    if (it === '\\') scan.at++;
    else if (it === '[') inClass = true;
    else if (it === ']') inClass = false;
    else if (it === '/' && !inClass) break;
    scan.at++;
  }
  blank(scan, start, scan.at);
  scan.at++;
}

function step(scan: Scan): 1 {
  scan.at++;
  return 1;
}
