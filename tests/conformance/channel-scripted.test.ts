import { ScriptedChannel } from '../fakes/scripted-channel.ts';
import { channelCases } from './channel-cases.ts';
import type { Shown } from './channel-stage.ts';

const traits = {
  ...{ edits: true, files: true, buttons: true, says: true, presence: false, reconnects: true },
  faults: ['busy', 'down', 'refused', 'dropped'] as const,
};

for (const idempotent of [false, true]) {
  channelCases(`scripted${idempotent ? ', idempotent' : ''}`, { ...traits, idempotent }, (host) => {
    const channel = new ScriptedChannel(host, { idempotent });
    const place = { channel: 'scripted', chat: 'a', thread: null };
    const shown = ({ chat }: { chat: string }): Shown[] => channel.board.filter((it) => it.address.chat === chat);
    return Promise.resolve({
      channel,
      place,
      other: { ...place, chat: 'b' },
      shown,
      fault: (fault, retryAfterMs) => {
        channel.faults.push(fault);
        channel.retryAfterMs = retryAfterMs;
      },
      say: (id, text) => channel.say({ address: place, platformId: id, sender: 'scripted:1', text }),
      cut: () => Promise.resolve(channel.down()),
      mend: () => Promise.resolve(channel.up()),
      close: () => channel.close(),
    });
  });
}
