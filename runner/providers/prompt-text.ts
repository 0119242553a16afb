/** What a provider without a model reads in a prompt, and how it addresses what it says. */

/** `files`: paths of what came with it. */
export type Asked = { id: string; from: string; text: string; files: string[] };

/** Text that holds our own tags is quoted as code, as a careful model would. */
export function addressed(to: string, text: string): string {
  const fence = '`'.repeat(Math.max(3, ...[...text.matchAll(/`+/g)].map(([run]) => run.length)) + 1);
  const quoted = /<\/?(message|internal)/.test(text) ? `${fence}\n${text}\n${fence}` : text;
  return `<message to="${to}">${quoted}</message>`;
}

const BLOCK = /<message id="(\d+)" from="([^"]*)"([^>]*)>([\s\S]*?)<\/message>/g;

const ATTACHMENT = /\n<attachment [^>]*path="([^"]*)"\/>/g;
const filesIn = (text: string): string[] => [...text.matchAll(ATTACHMENT)].map(([, path = '']) => plain(path));

/** The messages in a prompt, as a model would read them; context that starts nothing is not answered. */
export function messagesIn(prompt: string): Asked[] {
  return [...prompt.matchAll(BLOCK)]
    .filter(([, , , attributes]) => !attributes?.includes(' context="true"'))
    .map(([, id = '', from = '', , text = '']) => ({
      id,
      from: plain(from),
      text: plain(text.replace(ATTACHMENT, '')),
      files: filesIn(text),
    }));
}

const plain = (text: string): string =>
  text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');

/** What the host tells the agent in a prompt, oldest first. */
export const noticesIn = (prompt: string): string[] =>
  [...prompt.matchAll(/<notice id="\d+"[^>]*>([\s\S]*?)<\/notice>/g)].map(([, text = '']) => plain(text));
