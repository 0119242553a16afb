import { expect, test } from 'bun:test';
import { readable } from '../readable.ts';

const BASE = 'https://example.com/docs/page';
const read = (html: string): string => readable(html, BASE);

test('headings, paragraphs, lists, tables and where links lead', () => {
  const html = `<!doctype html><html><head><title>A &amp; B</title><meta charset=utf-8></head><body>
    <h1>Top</h1><p>One   line
    of text.<p>Another<br>broken. <a href="../x?a=1&amp;b=2">there</a> <a href="#here">here</a>
    <ul><li>first<li>second</ul><h3>Deep</h3>
    <table><tr><th>k</th><td>v</td></tr></table><img src=x alt="a cat"></body></html>`;
  const text = read(html);
  for (const line of [
    '# A & B',
    '# Top',
    '### Deep',
    'Another',
    'broken. there (https://example.com/x?a=1&b=2) here',
  ]) {
    expect(text.split('\n')).toContain(line);
  }
  expect(text).toContain('One line\nof text.');
  expect(text).toMatch(/- first\n+- second/);
  expect(text).toMatch(/k v\n+a cat$/);
});

test('nothing that is run or hidden', () => {
  const hidden = '<script>alert(1)</script><style>p{}</style><noscript>x</noscript><template>x</template><!-- x -->';
  expect(read(`<p>seen</p>${hidden}<div hidden><div>x</div>x</div><svg><text>x</text></svg><p>too</p>`)).toBe(
    'seen\n\ntoo',
  );
  expect(read('<p>a<script>')).toBe('a');
  expect(read('<p hidden>a<p>b')).toBe('a\n\nb');
  expect(read('<a href="javascript:alert(1)">click</a><a href="data:text/html,x">me</a>')).toBe('clickme');
});

test('entities are read once', () => {
  expect(read('<p>&lt;b&gt; &amp;lt; &#228;&#xe4;&auml; &nope; &toString; &#0; &#xD800;')).toBe(
    '<b> &lt; äää &nope; &toString; � �',
  );
});

test('what is broken, deep or no page at all is text', () => {
  expect(read('no tags')).toBe('no tags');
  expect(read('')).toBe('');
  expect(read('<<p>>a</b></p></p><p')).toContain('a');
  expect(read(`${'<div>'.repeat(20_000)}deep`)).toBe('deep');
});
