/** The runner's door: it reads inbound.db and writes outbound.db. It has no way to write inbound.db. */
export { InboundReader } from './inbound.ts';
export { OutboundWriter, type OutboundWrite } from './outbound.ts';
export { connectBell, type BellRunner } from './bell.ts';
export { heartbeatFile, progressFile, type Heartbeat, type LineFile, type Progress, type Said } from './heartbeat.ts';
