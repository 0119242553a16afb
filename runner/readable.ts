/**
 * A page as text: headings, paragraphs, lists and where links lead; nothing that a browser would run or hide. Bun's own
 * parser reads it as a stream, so that no page is nested or broken too much for it.
 */
const HIDDEN = words('script style noscript template svg iframe object select datalist');
const BLOCKS = words(
  'p div section article main header footer nav aside ul ol dl dt dd table tr pre blockquote form figure address details',
);
/** What stands before the text of an element that is a block of its own. */
const MARKS: Readonly<Record<string, string>> = {
  ...{ title: '# ', li: '- ', h1: '# ', h2: '## ', h3: '### ', h4: '#### ', h5: '##### ', h6: '###### ' },
};
const INLINE: Readonly<Record<string, string>> = { br: '\n', hr: '\n', td: ' ', th: ' ' };
/** Their end may be left out: one that is hidden would hide all that follows. */
const ENDS_UNSAID = words('p li dt dd tr td th option thead tbody tfoot body html');
const HREF_CHARS = 500;

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(' '));
}

/** `base`: where the page was found, for links that leave that away. */
export function readable(html: string, base: string): string {
  const page = new Page(base);
  new HTMLRewriter()
    .on('*', { element: (it) => page.enter(it) })
    .onDocument({ text: ({ text }) => page.say(text) })
    .transform(html);
  return page.text;
}

function hrefOf(href: string | null, base: string): string | null {
  const raw = decoded(href ?? '');
  if (raw === '' || raw.startsWith('#') || !URL.canParse(raw, base)) return null;
  const { href: whole, protocol } = new URL(raw, base);
  return ['https:', 'http:'].includes(protocol) && whole.length <= HREF_CHARS ? whole : null;
}

class Page {
  readonly #base: string;
  readonly #parts: string[] = [];
  #hidden = 0;

  constructor(base: string) {
    this.#base = base;
  }

  say(text: string): void {
    if (this.#hidden === 0) this.#parts.push(text);
  }

  enter(it: HTMLRewriterTypes.Element): void {
    const name = it.tagName;
    // An element has one handler of its end: a second would take the place of the first.
    const atEnd = (then: () => void): void => void (it.canHaveContent && it.onEndTag(then));
    const marked = it.hasAttribute('hidden') || it.getAttribute('aria-hidden') === 'true';
    if (HIDDEN.has(name) || (marked && !ENDS_UNSAID.has(name))) {
      if (it.canHaveContent) this.#hidden += 1;
      return atEnd(() => void (this.#hidden -= 1));
    }
    const mark = Object.hasOwn(MARKS, name) ? MARKS[name] : undefined;
    if (mark !== undefined || BLOCKS.has(name)) {
      this.say(`\n\n${mark ?? ''}`);
      return atEnd(() => this.say('\n\n'));
    }
    if (Object.hasOwn(INLINE, name)) this.say(INLINE[name] ?? '');
    if (name === 'img') this.say(it.getAttribute('alt') ?? '');
    const href = name === 'a' ? hrefOf(it.getAttribute('href'), this.#base) : null;
    if (href !== null) atEnd(() => this.say(` (${href})`));
  }

  get text(): string {
    return decoded(this.#parts.join(''))
      .replaceAll(/[ \t\r\f\v\u00a0]+/g, ' ')
      .replaceAll(/ ?\n ?/g, '\n')
      .replaceAll(/\n{3,}/g, '\n\n')
      .trim();
  }
}

/** Those that prose holds; others stay as they stand. https://html.spec.whatwg.org/#named-character-references */
const NAMED: Readonly<Record<string, string>> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ', shy: '', ensp: ' ', emsp: ' ', thinsp: ' ' },
  ...{ ndash: '–', mdash: '—', hellip: '…', lsquo: '‘', rsquo: '’', ldquo: '“', rdquo: '”', laquo: '«', raquo: '»' },
  ...{
    copy: '©',
    reg: '®',
    trade: '™',
    euro: '€',
    pound: '£',
    deg: '°',
    times: '×',
    middot: '·',
    bull: '•',
    sect: '§',
  },
  ...{ auml: 'ä', ouml: 'ö', uuml: 'ü', Auml: 'Ä', Ouml: 'Ö', Uuml: 'Ü', szlig: 'ß', eacute: 'é', egrave: 'è' },
  ...{ agrave: 'à', ccedil: 'ç', ecirc: 'ê', ntilde: 'ñ', oslash: 'ø', aring: 'å', rarr: '→', larr: '←', check: '✓' },
};

const decoded = (text: string): string =>
  text.replaceAll(/&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([a-zA-Z]{2,8}));/g, (whole, decimal, hex, name) => {
    if (name !== undefined) return Object.hasOwn(NAMED, name as string) ? (NAMED[name as string] ?? '') : whole;
    const point = Number.parseInt((decimal ?? hex) as string, decimal === undefined ? 16 : 10);
    return point > 0 && point <= 0x10ffff && (point < 0xd800 || point > 0xdfff) ? String.fromCodePoint(point) : '�';
  });
