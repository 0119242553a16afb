/** The host's door: it writes inbound.db and prepares both files. It has no way to write outbound.db. */
export { InboundWriter, INBOUND_VERSION, numbersIn, type Projection } from './inbound.ts';
export { OUTBOUND_VERSION, type OutboundRows } from './outbound.ts';
export { inboundSchema, makeTemplate, outboundSchema, schemaFingerprint } from './template.ts';
export { listenBell, type BellHost } from './bell.ts';
export { parseHeartbeat, parseProgress, type Heartbeat, type Progress, type Said } from './heartbeat.ts';
export { nextSeq } from './seq.ts';
export { parseAck, parseOutbound } from './message.ts';
