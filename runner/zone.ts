/** A time zone of people. To make its format takes longer than all the rest of a prompt, so it is kept with it. */
export class Zone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;

  /** Throws `RangeError` for a zone nobody knows. */
  constructor(name: string) {
    this.name = name;
    this.#format = new Intl.DateTimeFormat('sv-SE', { timeZone: name, dateStyle: 'short', timeStyle: 'medium' });
  }

  /** A point in time as it is read there; text that is none as it stands. */
  time(timestamp: string): string {
    const at = new Date(timestamp);
    return Number.isNaN(at.getTime()) ? timestamp : `${this.#format.format(at)} ${this.name}`;
  }
}
