/** The chats of the http channel as the channel sees them: who may speak there, what stands there, what is said. */
import { LIMITS } from '@halfdoor/protocol/limits';
import { until } from '../api/until.ts';
import { messageView } from '../api/view.ts';
import type { OutgoingFile } from '../channels/channel.ts';
import { sentFiles, type HttpChat, type HttpSide, type Known } from '../channels/http/types.ts';
import type { MessageAnswer, ProgressState } from '../channels/http/types.ts';
import type { Clock } from '../clock.ts';
import type { Central } from '../db/central.ts';
import type { Home } from '../home.ts';
import type { Found } from '../secrets/secrets.ts';
import type { Signals } from '../signals.ts';
import { filesOf, knownAs, saidIn, sayerOf, isOfChat } from './queries.ts';
import { sameFiles } from './same-files.ts';

export const HTTP = 'http';

/** The secret that callbacks of this chat are signed with. A chat's name holds no underscore: no two share one. */
export const signingSecret = (chat: string): string => `HTTP_${chat.toUpperCase().replaceAll('-', '_')}_SIGNING`;

type ChatsDeps = { central: Central; home: Home; clock: Clock; keys(name: string): Found; signals(): Signals };

export class HttpChats implements HttpSide {
  readonly limits = { files: LIMITS.attachments, fileBytes: LIMITS.attachmentBytes };
  readonly sameFiles = sameFiles;
  readonly #deps: ChatsDeps;
  readonly #chats = new Map<string, HttpChat>();
  readonly #listeners = new Set<(chat: string) => void>();

  private constructor(deps: ChatsDeps) {
    this.#deps = deps;
  }

  static async open(deps: ChatsDeps): Promise<HttpChats> {
    const chats = new HttpChats(deps);
    const rows = await deps.central.read
      .selectFrom('http_chats')
      .innerJoin('chats', 'chats.id', 'http_chats.chat_id')
      .select(['platform_id', 'token_hash', 'callback'])
      .execute();
    for (const it of rows) chats.#chats.set(it.platform_id, { tokenHash: it.token_hash, callback: it.callback });
    return chats;
  }

  chat(name: string): HttpChat | undefined {
    return this.#chats.get(name);
  }

  /** What was just committed; null for one that is gone. */
  changed(name: string, chat: HttpChat | null): void {
    if (chat === null) this.#chats.delete(name);
    else this.#chats.set(name, chat);
    for (const listener of this.#listeners) listener(name);
  }

  onChange(listener: (chat: string) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  signing(chat: string): { ok: true; value: string } | { ok: false; fault: string } {
    const found = this.#deps.keys(signingSecret(chat));
    return found.ok ? found : { ok: false, fault: `its callback cannot be signed: ${found.fault}. ${found.next}` };
  }

  known(chat: string, key: string): Promise<Known[]> {
    return knownAs(this.#deps.central.read, this.#deps.home, { channel: HTTP, chat, key });
  }

  async message(chat: string, id: string, waitMs: number): Promise<MessageAnswer | null> {
    const { central, clock, signals } = this.#deps;
    const look = () => messageView(central.read, id, { channel: HTTP, chat });
    let view = await look();
    const isSettled = async (): Promise<boolean> => {
      view = await look();
      return view?.status !== 'accepted';
    };
    if (view?.status === 'accepted' && waitMs > 0)
      await until({ signals: signals(), clock }, ['settled'], isSettled, waitMs);
    if (view === null || view.status === 'timeout') return null;
    const { status, replies, notices, error, next } = view;
    const strip = ({ delivery, seq, text, files }: (typeof replies)[number]) => ({
      ...{ delivery, seq, text },
      files: sentFiles(chat, delivery, files),
    });
    const why = error === undefined ? {} : { error, ...(next === undefined ? {} : { next }) };
    return { id, status, replies: replies.map(strip), notices: notices.map(strip), ...why };
  }

  history(chat: string, after: number, limit: number) {
    return saidIn(this.#deps.central.read, chat, after, limit);
  }

  sayer(delivery: string): Promise<string> {
    return sayerOf(this.#deps.central.read, delivery);
  }

  async file(chat: string, delivery: string, n: number): Promise<OutgoingFile | null> {
    return (await filesOf(this.#deps.central.read, chat, delivery))[n] ?? null;
  }

  /** Sessions of this chat only: the same agent may be busy elsewhere. */
  onProgress(chat: string, listener: (state: ProgressState, since: string) => void): () => void {
    const { central, clock, signals } = this.#deps;
    const whose = new Map<string, Promise<boolean>>();
    const isOurs = (sessionId: string): Promise<boolean> => {
      const known = whose.get(sessionId) ?? isOfChat(central.read, chat, sessionId);
      if (whose.size >= SESSIONS_KNOWN) whose.clear();
      whose.set(sessionId, known);
      return known;
    };
    const tell = (sessionId: string, state: ProgressState, since: string): void => {
      // The host may be closing; progress is no loss.
      void isOurs(sessionId).then(
        (ours) => ours && listener(state, since),
        () => undefined,
      );
    };
    const ends = [
      signals().on('progress', ({ sessionId, progress }) => tell(sessionId, progress.state, progress.since)),
      signals().on('session', ({ sessionId, state }) => {
        if (state !== 'waiting' && state !== 'starting') return;
        tell(sessionId, state === 'waiting' ? 'queued' : 'starting', clock.now().toISOString());
      }),
    ];
    return () => ends.forEach((end) => end());
  }
}

const SESSIONS_KNOWN = 64;
