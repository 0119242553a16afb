/** Sends at once, while the turn goes on. The host checks the destination again, whatever this says. */
import type { Tool } from '../providers/provider.ts';

export type SendMessage = (to: string, text: string) => { seqs: number[]; repeated: boolean };

export const sendMessage = (send: SendMessage): Tool => ({
  name: 'send_message',
  description:
    'Sends a message to one of your destinations at once. Use it to say something before your answer is done.',
  inputSchema: {
    type: 'object',
    properties: {
      to: { type: 'string', description: 'Name of the destination.' },
      text: { type: 'string', description: 'What to say.' },
    },
    required: ['to', 'text'],
    additionalProperties: false,
  },
  run: (input) => {
    const { to, text } = input;
    if (typeof to !== 'string' || typeof text !== 'string' || text.trim() === '') {
      return Promise.reject(new Error('send_message needs {"to": name, "text": text}; text must not be empty'));
    }
    const { seqs, repeated } = send(to, text);
    const numbers = seqs.map((seq) => `#${seq}`).join(', ');
    return Promise.resolve(repeated ? `already sent as ${numbers}` : `sent as ${numbers}`);
  },
});
