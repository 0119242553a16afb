/**
 * Takes secrets out of text that people and files are shown: logs, errors, reasons. Each known value of 8 characters or
 * more becomes `[NAME]`, as it stands, in capitals or small letters, and in base64, base64url, hex, URL-encoded, as HTML
 * and JSON-escaped. A value that was split by whitespace, put together from pieces or encoded in another way is not
 * found: what handles secrets must not say them, this is the net below.
 */

const SHORTEST_CHARS = 8;

/** What a host knows of secrets while it runs. A value that was replaced or removed stays known: it may still be echoed. */
export class Redactor {
  readonly #names = new Map<string, string>();
  #longestFirst: [form: string, name: string][] = [];

  know(name: string, value: string): void {
    if (value.length < SHORTEST_CHARS) return;
    for (const form of formsOf(value)) this.#names.set(form, name);
    // A form that holds another one goes first.
    this.#longestFirst = [...this.#names].sort(([a], [b]) => b.length - a.length);
  }

  text(text: string): string {
    let clean = text;
    for (const [form, name] of this.#longestFirst) {
      if (clean.includes(form)) clean = clean.replaceAll(form, () => `[${name}]`);
    }
    return clean;
  }

  /** The beginning of a text that was cut off somewhere: the cut may have gone through a secret. */
  beginning(text: string, chars: number): string {
    // Half a character at the cut is none of the secret's.
    let clean = this.text(text.replace(/\ufffd+$/, ''));
    for (const [form, name] of this.#longestFirst) {
      const cut = cutAt(clean, form);
      if (cut !== null) clean = `${clean.slice(0, cut)}[${name}]`;
    }
    return clean.slice(0, chars);
  }
}

/** Where `text` ends with the beginning of `form`, at least 8 characters of it. */
function cutAt(text: string, form: string): number | null {
  const first = form.slice(0, SHORTEST_CHARS);
  for (let at = text.lastIndexOf(first); at >= 0; at = at === 0 ? -1 : text.lastIndexOf(first, at - 1)) {
    if (text.length - at >= form.length) return null;
    if (form.startsWith(text.slice(at))) return at;
  }
  return null;
}

/** A value as it may appear in another program's text. */
export function formsOf(value: string): string[] {
  const bytes = Buffer.from(value);
  const json = JSON.stringify(value).slice(1, -1);
  const jsonInJson = JSON.stringify(json).slice(1, -1);
  const hex = bytes.toString('hex');
  const forms = [
    value,
    value.toUpperCase(),
    value.toLowerCase(),
    json,
    jsonInJson,
    json.replaceAll('/', '\\/'),
    asciiJson(json, /[^\0-\x7f]/g), // oxlint-disable-line no-control-regex
    asciiJson(value, /[^]/g),
    asciiJson(value, /[^]/g).replaceAll(/\\u..../g, (it) => `\\u${it.slice(2).toUpperCase()}`),
    hex,
    hex.toUpperCase(),
    ...htmlForms(value),
    ...base64Forms(bytes),
    ...urlForms(value, hex),
  ];
  return [...new Set(forms)].filter((form) => form.length >= SHORTEST_CHARS);
}

/** Whole, and what is left of it at each of the three places where it can begin within a longer text. */
function base64Forms(bytes: Buffer): string[] {
  const whole = bytes.toString('base64');
  const within = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const tail = (before + bytes.length) % 3 === 0 ? 0 : 4;
    return text.slice(before === 0 ? 0 : before + 1, text.length - tail);
  });
  const forms = [whole, whole.replace(/=+$/, ''), ...within];
  return forms.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')]);
}

function urlForms(value: string, hex: string): string[] {
  const component = encodeURIComponent(value);
  const strict = component.replaceAll(/[!'()*]/g, (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`);
  const form = new URLSearchParams({ '': value }).toString().slice(1);
  const every = hex.toUpperCase().replaceAll(/../g, (it) => `%${it}`);
  const forms = [component, strict, form, encodeURI(value), every, encodeURIComponent(component)];
  return forms.flatMap((it) => [it, it.replaceAll(/%../g, (escape) => escape.toLowerCase())]);
}

/** JSON in which what `which` finds is \\uXXXX: writers of ASCII do so with everything beyond it, some with everything. */
const asciiJson = (json: string, which: RegExp): string =>
  json.replaceAll(which, (it) => `\\u${it.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** As escapers of HTML write it: those that know the five of XML, mustache.js, Handlebars, and those that leave nothing alone. */
function htmlForms(value: string): string[] {
  const five = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
  const hex = (text: string, which: RegExp): string =>
    text.replaceAll(which, (it) => `&#x${it.codePointAt(0)?.toString(16).toUpperCase()};`);
  return [
    five.replaceAll("'", '&apos;'),
    five.replaceAll("'", '&#39;'),
    hex(five, /'/g),
    hex(five.replaceAll("'", '&#39;'), /[/=`]/g),
    hex(five, /['=`]/g),
    hex(value, /[^A-Za-z0-9]/gu),
    value.replaceAll(/[^A-Za-z0-9]/gu, (it) => `&#${it.codePointAt(0)};`),
  ];
}
