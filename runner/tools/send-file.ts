/** Sends a file at once, while the turn goes on. The host takes a copy of its own, and refuses what it does not let pass. */
import type { Tool } from '../providers/provider.ts';

export type SendFile = (
  to: string,
  path: string,
  caption: string,
) => { seqs: number[]; repeated: boolean; name: string; bytes: number };

export const sendFile = (send: SendFile): Tool => ({
  name: 'send_file',
  description:
    'Sends a file from your own folders to one of your destinations at once. Changing the file later does not change what was sent.',
  inputSchema: {
    type: 'object',
    properties: {
      to: { type: 'string', description: 'Name of the destination.' },
      path: { type: 'string', description: 'The file, from your working folder.' },
      caption: { type: 'string', description: 'What to say with it; may be left out.' },
    },
    required: ['to', 'path'],
    additionalProperties: false,
  },
  run: (input) => {
    const { to, path, caption = '' } = input;
    if (typeof to !== 'string' || typeof path !== 'string' || path === '' || typeof caption !== 'string') {
      return Promise.reject(new Error('send_file needs {"to": name, "path": path} and may have {"caption": text}'));
    }
    return Promise.try(() => {
      const { seqs, repeated, name, bytes } = send(to, path, caption);
      const numbers = seqs.map((seq) => `#${seq}`).join(', ');
      return repeated ? `already sent as ${numbers}` : `sent ${name}, ${bytes} bytes, as ${numbers}`;
    });
  },
});
