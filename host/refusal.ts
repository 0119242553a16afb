/** Something a person or program asked for and does not get: what is wrong and what to do next. Shown as it stands. */
export type RefusalCode = 'bad-input' | 'not-found' | 'exists' | 'forbidden' | 'too-large' | 'unavailable';

export class Refusal extends Error {
  readonly code: RefusalCode;
  readonly next: string;
  constructor(code: RefusalCode, message: string, next: string) {
    super(message);
    this.name = 'Refusal';
    this.code = code;
    this.next = next;
  }
}
