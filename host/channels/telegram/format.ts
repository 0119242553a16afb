/**
 * What agents write, as the HTML that Telegram takes (core.telegram.org/bots/api#html-style). Everything but our own
 * tags is escaped, tags never cross, and what people see is never longer than what was written.
 */

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]{0,40})[^`]*$/;
const HEADING = /^ {0,3}#{1,6}\s+(\S.*)$/;
const RULE = /^ {0,3}(?:-{3,}|\*{3,}|_{3,})\s*$/;
const QUOTE = /^ {0,3}>\s?/;
const BULLET = /^(\s*)[-*+]\s+(?=\S)/;

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"]/g, (it) => ESCAPES[it] ?? it);

export function toHtml(text: string): string {
  const lines = text.split('\n');
  const blocks: string[] = [];
  for (let at = 0; at < lines.length;) {
    const line = lines[at] ?? '';
    const fence = FENCE.exec(line);
    if (fence) {
      const end = closing(lines, at + 1, fence[1] ?? '```');
      blocks.push(codeBlock(lines.slice(at + 1, end), fence[2] ?? ''));
      at = end + 1;
    } else if (QUOTE.test(line)) {
      let end = at;
      while (QUOTE.test(lines[end] ?? '')) end++;
      const quoted = lines.slice(at, end).map((it) => oneLine(it.replace(QUOTE, '')));
      blocks.push(`<blockquote>${quoted.join('\n')}</blockquote>`);
      at = end;
    } else {
      blocks.push(oneLine(line));
      at++;
    }
  }
  return blocks.join('\n');
}

/** The line that ends a block of code, or the end of the text. */
function closing(lines: readonly string[], from: number, mark: string): number {
  let at = from;
  while (at < lines.length && !isClosing(lines[at] ?? '', mark)) at++;
  return at;
}

const isClosing = (line: string, mark: string): boolean => line.trim().startsWith(mark) && /^[`~]+$/.test(line.trim());

function codeBlock(lines: readonly string[], language: string): string {
  const code = escapeHtml(lines.join('\n'));
  if (code.trim() === '') return '';
  return language === ''
    ? `<pre>${code}</pre>`
    : `<pre><code class="language-${escapeHtml(language)}">${code}</code></pre>`;
}

function oneLine(line: string): string {
  if (RULE.test(line)) return '———';
  const heading = HEADING.exec(line)?.[1];
  // Bold in bold is bold.
  if (heading !== undefined) return `<b>${inline(heading.replaceAll('**', ''))}</b>`;
  const bullet = BULLET.exec(line);
  return bullet ? `${bullet[1]}• ${inline(line.slice(bullet[0].length))}` : inline(line);
}

const TAGS: Readonly<Record<string, string>> = { '**': 'b', __: 'b', '*': 'i', _: 'i', '~~': 's' };
/** Code, a link, an escaped mark, marks of emphasis, or text up to the next of these. */
const TOKEN =
  /(?<!`)(`+)(?!`)([^\n]+?)(?<!`)\1(?!`)|!?\[([^[\]\n]{1,300})\]\(([^\s()<>]{1,1000})\)|\\([\\`*_~[\](){}#+.!>|-])|(\*\*|__|~~|\*|_)|[^`![\\*_~]+|[^]/g;
const LINK = /^(?:https?:\/\/|tg:\/\/|mailto:)/i;
const WORD = /[\p{L}\p{N}]/u;

function inline(text: string, links = true): string {
  const out: string[] = [];
  const open: { mark: string; at: number }[] = [];
  for (const match of text.matchAll(TOKEN)) {
    const [whole, , code, label, url, escaped, mark] = match;
    if (code !== undefined) out.push(`<code>${escapeHtml(code)}</code>`);
    else if (label !== undefined && url !== undefined && links && LINK.test(url)) {
      out.push(`<a href="${escapeHtml(url)}">${inline(label, false)}</a>`);
    } else if (mark !== undefined) {
      emphasis(out, open, mark, text[match.index - 1] ?? ' ', text[match.index + mark.length] ?? ' ');
    } else out.push(escapeHtml(escaped ?? whole));
  }
  return out.join('');
}

/** Closes what this mark opened, drops what was opened after it and not closed, or opens. */
function emphasis(
  out: string[],
  open: { mark: string; at: number }[],
  mark: string,
  before: string,
  after: string,
): void {
  const narrow = mark !== '**' && mark !== '~~';
  const closes = /\S/.test(before) && !(narrow && WORD.test(after));
  const opens = /\S/.test(after) && !(narrow && WORD.test(before));
  const tag = TAGS[mark] ?? 'i';
  const at = closes ? open.findLastIndex((it) => it.mark === mark) : -1;
  const opened = open[at];
  if (opened && opened.at < out.length - 1) {
    out[opened.at] = `<${tag}>`;
    out.push(`</${tag}>`);
    open.length = at;
  } else {
    if (opens && opened === undefined) open.push({ mark, at: out.length });
    out.push(mark);
  }
}
