/** A settled past, written in bulk into the files of a host that does not run: what so many messages would have left. */
import { DatabaseSync } from 'node:sqlite';
import { LIMITS } from '@halfdoor/protocol/limits';
import { makeIds } from '../../host/ids.ts';

const DAY_MS = 24 * 60 * 60_000;
/** As few messages share a run, as many a try: runs are rare, deaths are rarer. */
const MESSAGES_PER_RUN = 10;
const MESSAGES_PER_TRY = 20;
/** Of what the runner prunes at, so that it does not. */
const FULL = 0.9;

const yesterday = (): number => Date.now() - DAY_MS;

/** In the journal mode of the file's own writer: another would take its journal away. */
function inOne(path: string, mode: 'wal' | 'persist', body: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(path);
  try {
    db.exec(`pragma journal_mode = ${mode}`);
    db.exec('begin immediate');
    body(db);
    db.exec('commit');
  } finally {
    db.close();
  }
}

/** `rows` messages of this session, each answered once. Returns the session's cursor after them. */
export function fillCentral(path: string, session: string, rows: number): number {
  const ids = makeIds(yesterday);
  const at = new Date(yesterday()).toISOString();
  let cursor = 0;
  inOne(path, 'wal', (db) => {
    const row = db
      .prepare(
        `select s.agent_id, s.run, s.cursor, c.channel, c.platform_id as chat
           from sessions s join chats c on c.id = s.chat_id where s.id = ?`,
      )
      .get(session) as { agent_id: string; run: number; cursor: number; channel: string; chat: string };
    const { agent_id: agent, channel, chat } = row;
    cursor = row.cursor + 2 * rows;
    const event = db.prepare(
      `insert into events (id, channel, chat, platform_id, kind, sender, role, content, received_at)
         values (?, ?, ?, ?, 'message', 'local:1', 'owner', ?, ?)`,
    );
    const dispatch = db.prepare(
      `insert into dispatches (id, event_id, agent_id, session_id, kind, wakes, state, tries, settled_at)
         values (?, ?, ?, ?, 'chat', 1, 'done', ?, ?)`,
    );
    const tried = db.prepare(
      `insert into tries (dispatch_id, n, run, ending, at) values (?, 1, ?, 'signal SIGKILL', ?)`,
    );
    const delivery = db.prepare(
      `insert into deliveries (id, session_id, agent_id, seq, channel, chat, destination, content, state, created_at, settled_at)
         values (?, ?, ?, ?, ?, ?, 'terminal', ?, 'delivered', ?, ?)`,
    );
    const link = db.prepare('insert into delivery_events (event_id, delivery_id) values (?, ?)');
    const run = db.prepare(
      `insert into runs (session_id, run, started_at, ended_at, ending) values (?, ?, ?, ?, 'idle')`,
    );
    const audit = db.prepare(
      `insert into audit (id, at, session_id, agent_id, actor, action, target, verdict, reason)
         values (?, ?, ?, ?, 'agent', 'send_message', 'terminal', 'allow', 'has the destination')`,
    );
    for (let n = 0; n < rows; n++) {
      const [eventId, dispatchId, deliveryId] = [ids(), ids(), ids()];
      const numbered = row.run + 1 + Math.floor(n / MESSAGES_PER_RUN);
      const isTried = n % MESSAGES_PER_TRY === 0;
      event.run(eventId, channel, chat, `old-${n}`, JSON.stringify({ text: `message ${n}` }), at);
      dispatch.run(dispatchId, eventId, agent, session, isTried ? 1 : 0, at);
      if (n % MESSAGES_PER_RUN === 0) run.run(session, numbered, at, at);
      if (isTried) tried.run(dispatchId, numbered, at);
      const content = JSON.stringify({ type: 'message', text: `answer ${n}` });
      delivery.run(deliveryId, session, agent, row.cursor + 2 * (n + 1), channel, chat, content, at, at);
      link.run(eventId, deliveryId);
      audit.run(ids(), at, session, agent);
    }
    const lastRun = row.run + Math.ceil(rows / MESSAGES_PER_RUN);
    db.prepare('update sessions set cursor = ?, run = ? where id = ?').run(cursor, lastRun, session);
  });
  return cursor;
}

/** As much as pruning leaves, all of it collected. */
export function fillOutbound(path: string, cursor: number): void {
  const ids = makeIds(yesterday);
  const at = new Date(yesterday()).toISOString();
  inOne(path, 'persist', (db) => {
    const message = db.prepare(
      `insert into messages_out (seq, id, run, turn, answers, kind, destination, thread, content, timestamp)
         values (?, ?, 1, ?, ?, 'message', 'terminal', null, ?, ?)`,
    );
    const ack = db.prepare(`insert into processing_ack (seq, message_id, run, status) values (?, ?, 1, 'done')`);
    const pages = db.prepare('select page_count * page_size as bytes from pragma_page_count, pragma_page_size');
    const bytes = (): number => (pages.get() as { bytes: number }).bytes;
    let seq = cursor;
    while (seq > 4 && bytes() < FULL * LIMITS.outboundDbPruneBytes) {
      const answered = ids();
      message.run(seq, ids(), ids(), JSON.stringify([answered]), JSON.stringify({ text: `answer ${seq}` }), at);
      ack.run(seq - 2, answered);
      seq -= 4;
    }
    db.prepare('update meta set seq_high = ?').run(cursor);
  });
}
