/** The session as it is seen from inside, put together for a provider that shows it. */
import type { InboundReader, OutboundWriter } from '@halfdoor/protocol/runner';
import type { Intake } from './intake.ts';
import type { Inside } from './providers/provider.ts';
import type { Saying, Speaker } from './speaker.ts';

type Deps = {
  base: string;
  inbound: InboundReader;
  outbound: OutboundWriter;
  intake: Intake;
  speaker: Speaker;
  /** Throws when no turn is under way. */
  saying(): Saying;
};

export const makeInside = ({ base, inbound, outbound, intake, speaker, saying }: Deps): Inside => ({
  base,
  destinations: () => intake.destinations().map((it) => it.localName),
  counts: () => ({ ...inbound.counts(), ...outbound.counts() }),
  attempt: (to, text) => speaker.attempt(saying(), to, text),
});
