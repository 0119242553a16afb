/** A run that stops itself (SIGSTOP) before or inside its transaction, goes on when it is told to, and tells how it ended. */
import { makeDurable } from '../../durable.ts';
import { Fault } from '../../fault.ts';
import { OUTBOUND_VERSION, OutboundWriter } from '../../outbound.ts';
import { SessionFile } from '../../sqlite.ts';

const input = JSON.parse(process.argv[2] ?? '') as { outbound: string; run: number; where: 'before' | 'inside' };
const stop = (): void => {
  console.log(JSON.stringify({ stopping: true }));
  process.kill(process.pid, 'SIGSTOP');
};
try {
  const writer = new OutboundWriter(
    input.outbound,
    input.run,
    makeDurable((step, edge) => {
      if (step === 'say' && edge === 'before' && input.where === 'before') stop();
    }),
  );
  if (input.where === 'inside') {
    const file = new SessionFile(input.outbound, { access: 'runner-writes', timeoutMs: 0, version: OUTBOUND_VERSION });
    file.write(() => {
      file.run('insert into session_state (key, value) values (?, ?)', 'late', 'here');
      stop();
    });
  } else {
    const late = { id: 'late', kind: 'message' as const, turn: 't', answers: [], timestamp: '2026-01-02T03:04:05Z' };
    writer.write('say', {
      messages: [{ ...late, destination: 'terminal', thread: null, text: 'late' }],
      state: { late: 'here' },
      seenSeq: 0,
    });
  }
  console.log(JSON.stringify({ ended: 'committed' }));
} catch (error) {
  console.log(JSON.stringify({ ended: error instanceof Fault ? error.code : String(error) }));
}
