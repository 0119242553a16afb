import type { Outgoing } from '../../host/channels/channel.ts';
import { TerminalChannel, type TerminalClient } from '../../host/channels/terminal.ts';
import { channelCases } from './channel-cases.ts';
import type { Shown } from './channel-stage.ts';

const traits = {
  ...{ idempotent: false, edits: false, files: true, buttons: false, faults: [], says: false },
  ...{ presence: true, reconnects: false },
};

/** A terminal as the CLI is one: it shows what comes, with a word before what may be a second copy, and confirms it. */
class Terminal implements TerminalClient {
  readonly shown: Shown[] = [];
  readonly #channel: TerminalChannel;

  constructor(channel: TerminalChannel) {
    this.#channel = channel;
  }

  show({ delivery, text, mayBeDuplicate, files }: Outgoing): void {
    const said = mayBeDuplicate ? `(may be a second copy) ${text}` : text;
    this.shown.push({ text: said, files: files.map((it) => it.name), buttons: [] });
    setImmediate(() => this.#channel.received(delivery));
  }
}

channelCases('terminal', traits, (host) => {
  const channel = new TerminalChannel((address) => host.ready(address), host.now().toISOString());
  const place = { channel: 'terminal', chat: 'a', thread: null };
  const other = { ...place, chat: 'b' };
  const terminals = new Map([place, other].map((it) => [it.chat, new Terminal(channel)]));
  const connect = (chat: string): (() => void) => channel.connect(chat, terminals.get(chat) as Terminal);
  let disconnect = connect('a');
  connect('b');
  return Promise.resolve({
    channel,
    place,
    other,
    shown: ({ chat }) => terminals.get(chat)?.shown ?? [],
    leave: () => Promise.resolve(disconnect()),
    come: () => Promise.resolve(void (disconnect = connect('a'))),
    close: () => channel.close(),
  });
});
