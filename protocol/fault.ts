/**
 * An error that names whose fault it is and what to do next. `next` is shown to people as it stands.
 * Codes are ours and closed: an error that crosses the wall carries a code, never another program's text.
 */
export const FAULT_CODES = [
  'bad-input',
  'bad-row',
  'busy',
  'cannot-open',
  'disk',
  'fenced',
  'hot-journal',
  'newer-version',
  'not-a-session-file',
  'option-ignored',
  'path-too-long',
] as const;
export type FaultCode = (typeof FAULT_CODES)[number];

export class Fault extends Error {
  readonly code: FaultCode;
  readonly next: string;

  constructor(code: FaultCode, message: string, next: string) {
    super(message);
    this.name = 'Fault';
    this.code = code;
    this.next = next;
  }
}

export const isFault = (error: unknown, code?: FaultCode): error is Fault =>
  error instanceof Fault && (code === undefined || error.code === code);
