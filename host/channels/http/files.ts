/** A file that was sent, as a program fetches it: always to be kept, never to be shown as a page of this host. */
import { open } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { OutgoingFile } from '../channel.ts';

/** False when its copy is gone; nothing was answered then. Else it is answered as fast as it is read. */
export async function serveFile(outgoing: ServerResponse, { path, name, mime }: OutgoingFile, isHead: boolean) {
  const file = await open(path).catch((error: unknown) => {
    if ((error as { code?: string }).code === 'ENOENT') return null;
    throw error;
  });
  if (file === null) return false;
  const { size } = await file.stat();
  outgoing.writeHead(200, {
    'content-type': mime,
    'content-length': size,
    'content-disposition': disposition(name),
    'x-content-type-options': 'nosniff',
    'cache-control': 'no-store',
  });
  if (isHead) {
    await file.close();
    outgoing.end();
    return true;
  }
  // Whoever leaves before its end has no answer that could say so.
  pipeline(file.createReadStream(), outgoing).catch(() => undefined);
  return true;
}

/** The name twice: for those that read no other than ASCII, and as it is (RFC 6266, RFC 8187). */
export function disposition(name: string): string {
  const plain = name.replaceAll(/[^\x20-\x7e]|["\\%]/g, '_');
  const exact = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (it) => `%${it.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}
