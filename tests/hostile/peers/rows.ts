/** `bun rows.ts VERB [WORD]`: what somebody who has taken over an agent says to the host, row by row. Prints `done`. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { connect } from 'node:net';
import { DatabaseSync } from 'node:sqlite';

const [verb = '', word = ''] = process.argv.slice(2);
const FLOOD_BYTES = 200_000;
const CHANGES = 100;

const db = new DatabaseSync('/s/out/outbound.db', { timeout: 30_000 });
for (const mode of ['exclusive', 'normal'])
  db.exec(`pragma locking_mode = ${mode}; pragma journal_mode = persist; select count(*) from sqlite_schema`);
db.exec('pragma ignore_check_constraints = on');
const { run, high } = db.prepare('select run, seq_high + 1 - seq_high % 2 as high from meta').get() as Record<
  string,
  number
>;

type Forged = {
  seq?: number | bigint;
  kind?: string;
  to?: string | null;
  answers?: string;
  content?: string;
  run?: number;
};

/** The number after the last by default. */
function message({ seq = (high ?? 0) + 2, kind = 'message', to = 'terminal', answers = '[]', ...it }: Forged): void {
  db.prepare(`insert into messages_out (seq, id, run, turn, answers, kind, destination, thread, content, timestamp)
    values (?, ?, ?, 't', ?, ?, ?, null, ?, ?)`).run(
    seq,
    crypto.randomUUID(),
    it.run ?? run ?? 0,
    answers,
    kind,
    to,
    it.content ?? JSON.stringify({ text: `forged ${verb}` }),
    new Date().toISOString(),
  );
  db.exec(`update meta set seq_high = max(seq_high, ${(high ?? 0) + 2})`);
}

function ack(id: string): void {
  const insert = db.prepare('insert into processing_ack (seq, message_id, run, status) values (?, ?, ?, ?)');
  insert.run((high ?? 0) + 2, id, run ?? 0, 'done');
  db.exec(`update meta set seq_high = ${(high ?? 0) + 2}`);
}

const action = (name: string): void =>
  message({ kind: 'action', to: null, content: JSON.stringify({ action: name, input: {} }) });

function heartbeat(content: object): void {
  const fd = openSync('/s/out/heartbeat', 'r+');
  writeSync(fd, `${JSON.stringify(content)}\n`, 0);
  closeSync(fd);
}

/** Rings without a pause, over every connection it is given. */
async function bells(): Promise<void> {
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const socket = connect('/s/run/bell.sock', () => socket.end(Buffer.alloc(FLOOD_BYTES)));
      socket
        .on('error', () => resolve())
        .on('close', () => resolve())
        .resume();
    });
  for (let n = 0; n < 20; n++) await Promise.all(Array.from({ length: 10 }, one));
}

function changing(): void {
  message({ content: JSON.stringify({ text: 'changing 0' }) });
  const update = db.prepare('update messages_out set content = ? where seq = ?');
  for (let n = 1; n < CHANGES; n++) update.run(JSON.stringify({ text: `changing ${n}` }), (high ?? 0) + 2);
}

const CLAIMS = { beat: 9e15, turn: 't', claims: [word], tool: null, deadline: null };
const VERBS: Readonly<Record<string, () => void | Promise<void>>> = {
  'claims-of-a-later-run': () => heartbeat({ run: 1e9, ...CLAIMS }),
  'claims-of-no-number': () => heartbeat({ run: 'x', ...CLAIMS }),
  'row-of-a-later-run': () => message({ run: 1e9 }),
  'ack-for-another': () => ack(word),
  'answer-for-another': () => message({ answers: JSON.stringify([word]) }),
  'seq-again': () => db.exec(`update messages_out set content = '{"text":"forged seq-again"}'`),
  'seq-backwards': () => message({ seq: -1 }),
  'seq-even': () => message({ seq: (high ?? 0) + 3 }),
  'seq-far': () => message({ seq: 2 ** 21 + 1 }),
  'seq-highest': () => message({ seq: 2n ** 63n - 1n }),
  'text-for-answers': () => message({ answers: '"all"' }),
  'number-for-text': () => message({ content: '{"text":5}' }),
  'foreign-destination': () => message({ to: word }),
  'forged-receipt': () => action('receipt'),
  'answer-nobody-asked': () => action('answer_question'),
  'huge-row': () => message({ content: JSON.stringify({ text: 'forged huge-row'.padEnd(3_000_000, 'x') }) }),
  'changing-row': changing,
  'bell-flood': bells,
};

await VERBS[verb]?.();
process.stdout.write('done\n');
