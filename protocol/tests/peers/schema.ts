/** Prints the fingerprints of both schemas as this runtime computes them. */
import { inboundSchema, outboundSchema, schemaFingerprint } from '../../template.ts';

console.log(
  JSON.stringify({ inbound: schemaFingerprint(inboundSchema()), outbound: schemaFingerprint(outboundSchema()) }),
);
