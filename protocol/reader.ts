/** The reader process's door: it reads outbound.db, and can write nothing. */
export { OUTBOUND_READABLE, OUTBOUND_VERSION, readOutboundRows, type OutboundRows } from './outbound.ts';
export { SCHEMA_QUERY } from './template.ts';
export { SessionFile } from './sqlite.ts';
