/** The model's quota is used up: what this turn was given is not settled, the host is asked to let it wait. */
import type { OutboundWriter } from '@halfdoor/protocol/runner';
import type { Intake } from './intake.ts';
import type { Saying } from './speaker.ts';

type Deps = { outbound: OutboundWriter; intake: Intake; newId(): string; now(): string; ring(): void };

/** `resetsAt`: as the provider said it, or null; the host bounds it and ends this run. */
export function park(deps: Deps, saying: Saying, resetsAt: string | null, reason: string): void {
  const row = { id: deps.newId(), ...saying, timestamp: deps.now() };
  const message = { ...row, kind: 'action' as const, action: 'park', input: { resetsAt, reason } };
  deps.outbound.write('say', { messages: [message], seenSeq: deps.intake.highest });
  deps.ring();
}
