import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { Outgoing, Sent } from '../../host/channels/channel.ts';
import { HttpChannel } from '../../host/channels/http/index.ts';
import type { HttpChat, HttpSide, Said } from '../../host/channels/http/types.ts';
import { systemClock } from '../../host/clock.ts';
import { makeLog } from '../../host/log.ts';
import { WebListener } from '../../host/web.ts';
import { freePort, Program, type Events } from '../world/program.ts';
import { channelCases, type Traits } from './channel-cases.ts';
import type { ChannelStage, Fault, ScriptedHost, Shown } from './channel-stage.ts';

const TOKEN = 'hd_token';
const traits = {
  ...{ idempotent: false, edits: false, files: true, buttons: false, says: true, reconnects: false },
} satisfies Partial<Traits>;

/** A program that shows what it gets to somebody, with a word before what may be a second copy. */
const shownBy = ({ text, mayBeDuplicate, files }: Said): Shown => ({
  text: mayBeDuplicate ? `(may be a second copy) ${text}` : text,
  files: files.map((it) => it.name),
  buttons: [],
});

/** Two chats whose history is empty: what is sent is not in a ledger here. */
function sideOf(callback: (chat: string) => string | null): HttpSide {
  const tokenHash = createHash('sha256').update(TOKEN).digest();
  const chats = new Map<string, HttpChat>(['a', 'b'].map((it) => [it, { tokenHash, callback: callback(it) }]));
  return {
    limits: { files: 10, fileBytes: 1024 },
    chat: (name) => chats.get(name),
    onChange: () => () => {},
    signing: () => ({ ok: true, value: 'whsec_AAAA' }),
    known: () => Promise.resolve([]),
    sameFiles: () => Promise.resolve(true),
    message: () => Promise.resolve(null),
    history: () => Promise.resolve([]),
    sayer: () => Promise.resolve('agent'),
    file: () => Promise.resolve(null),
    onProgress: () => () => {},
  };
}

/** Where the channel listens, and what speaks to it there. */
async function openWeb(): Promise<{ web: WebListener; url: string }> {
  const log = makeLog(
    () => {},
    () => new Date(),
    (text) => text,
  );
  const web = new WebListener({ clock: systemClock, log, random: () => 0 });
  const port = await freePort();
  web.listenAt({ bind: '127.0.0.1', port, hostNames: [] });
  return { web, url: `http://127.0.0.1:${port}` };
}

const places = (host: ScriptedHost) => {
  const place = { channel: host.name, chat: 'a', thread: null };
  return { place, other: { ...place, chat: 'b' } };
};

/** As a sender does: again with the same key until it is taken. */
async function say(program: Program, id: string, text: string): Promise<void> {
  for (;;) {
    const { status } = await program.post(id, { sender: 'ada', text });
    if (status !== 503) return;
  }
}

const STATUS: Record<Exclude<Fault, 'dropped'>, number> = { busy: 429, down: 503, refused: 400 };

/** A receiver of callbacks that shows what it takes, by the path it came to. */
async function openReceiver() {
  const shown = new Map<string, Shown[]>();
  const faults: { fault: Fault; retryAfterMs: number | null }[] = [];
  const server = createServer((incoming, outgoing) => {
    let body = '';
    incoming.setEncoding('utf8').on('data', (part: string) => (body += part));
    incoming.on('end', () => {
      const { fault, retryAfterMs } = faults.shift() ?? {};
      if (fault === undefined || fault === 'dropped') {
        const at = incoming.url ?? '';
        shown.set(at, [...(shown.get(at) ?? []), shownBy(JSON.parse(body) as Said)]);
      }
      if (fault === 'dropped') return outgoing.destroy();
      if (retryAfterMs) outgoing.setHeader('retry-after', String(retryAfterMs / 1000));
      return outgoing.writeHead(fault === undefined ? 204 : STATUS[fault]).end();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { shown, faults, url: `http://127.0.0.1:${port}`, close: () => void server.close() };
}

const callbackTraits: Traits = { ...traits, presence: false, faults: ['busy', 'down', 'refused', 'dropped'] };

channelCases('http by callback', callbackTraits, async (host): Promise<ChannelStage> => {
  const receiver = await openReceiver();
  const { web, url } = await openWeb();
  const channel = new HttpChannel(
    host,
    sideOf((chat) => `${receiver.url}/${chat}`),
    web,
  );
  channel.start();
  await web.tried();
  const program = new Program(url, 'a', TOKEN, null);
  return {
    channel,
    ...places(host),
    shown: ({ chat }) => receiver.shown.get(`/${chat}`) ?? [],
    fault: (fault, retryAfterMs) => receiver.faults.push({ fault, retryAfterMs }),
    say: (id, text) => say(program, id, text),
    close: async () => {
      await channel.close();
      assert.equal(channel.ready(places(host).place), false, 'else its queue would be tried without end');
      await web.close();
      receiver.close();
    },
  };
});

/** What a socket has taken is read a little later, and people look at once. */
class ReadChannel extends HttpChannel {
  readonly streams = new Map<string, Events>();

  override async send(outgoing: Outgoing): Promise<Sent> {
    const sent = await super.send(outgoing);
    const read = (it: Events): boolean => it.said.some(({ position }) => position === outgoing.position);
    if (sent.status === 'sent') await this.streams.get(outgoing.address.chat)?.until(read);
    return sent;
  }
}

channelCases('http by events', { ...traits, presence: true, faults: [] }, async (host): Promise<ChannelStage> => {
  const { web, url } = await openWeb();
  const channel = new ReadChannel(
    host,
    sideOf(() => null),
    web,
  );
  channel.start();
  await web.tried();
  const programs = new Map(['a', 'b'].map((chat) => [chat, new Program(url, chat, TOKEN, null)]));
  const { streams } = channel;
  const { place, other } = places(host);
  const come = async (chat: string): Promise<void> => {
    const events = programs.get(chat)?.events();
    if (events === undefined) return;
    streams.set(chat, events);
    await events.opened;
  };
  const leave = async (): Promise<void> => {
    streams.get('a')?.close();
    while (channel.ready(place)) await turn();
  };
  await Promise.all([come('a'), come('b')]);
  return {
    channel,
    place,
    other,
    shown: ({ chat }) => (streams.get(chat)?.said ?? []).map(shownBy),
    say: (id, text) => say(programs.get('a') as Program, id, text),
    leave,
    come: () => come('a'),
    close: async () => {
      for (const events of streams.values()) events.close();
      await channel.close();
      await web.close();
    },
  };
});
