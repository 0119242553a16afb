/** What was sent and what arrived, counted from outside: the host is asked only about what nobody ever heard of again. */

/** One copy of a message, as it was shown. */
export type Received = {
  chat: string;
  delivery: string;
  text: string;
  mayBeDuplicate: boolean;
  notice: boolean;
  answers: string[];
};

export type Verdict = {
  accepted: number;
  answered: number;
  dead_lettered: number;
  lost: number;
  duplicates_marked: number;
  duplicates_unmarked: number;
};

type Sent = { id: string; chat: string };

/** The text that stands for message number n, in what is said and nowhere else. */
export const mark = (n: number): string => `[${n}]`;
const MARK = /\[(\d+)\]/;

export class Tally {
  readonly #sent = new Map<number, Sent>();
  readonly #open = new Map<number, Sent>();
  /** Per message, each copy that arrived: whether it said that it may be one. */
  readonly #copies = new Map<number, { delivery: string; marked: boolean }[]>();
  readonly #told = new Set<string>();

  accepted(n: number, sent: Sent): void {
    this.#sent.set(n, sent);
    // Its reply may have been faster than its acknowledgement.
    if (!this.#copies.has(n) && !this.#told.has(sent.id)) this.#open.set(n, sent);
  }

  received(it: Received): void {
    const found = MARK.exec(it.text)?.[1];
    if (it.notice) this.#tell(it.answers);
    else if (found !== undefined) {
      const n = Number(found);
      this.#open.delete(n);
      this.#copies.set(n, [...(this.#copies.get(n) ?? []), { delivery: it.delivery, marked: it.mayBeDuplicate }]);
    }
  }

  #tell(ids: readonly string[]): void {
    for (const id of ids) this.#told.add(id);
    for (const [n, { id }] of this.#open) if (this.#told.has(id)) this.#open.delete(n);
  }

  /** Ids of what was accepted in this chat, and nobody heard of again yet. */
  open(chat: string | null): string[] {
    return [...this.#open.values()].filter((it) => chat === null || it.chat === chat).map(({ id }) => id);
  }

  verdict(): Verdict {
    const copies = [...this.#sent.keys()].map((n) => this.#copies.get(n) ?? []);
    const silent = copies.map((all) => all.filter(({ marked }) => !marked).length);
    const answered = copies.filter((all) => all.length > 0).length;
    const told = [...this.#sent].filter(([n, { id }]) => !this.#copies.has(n) && this.#told.has(id)).length;
    return {
      accepted: this.#sent.size,
      answered,
      dead_lettered: told,
      lost: this.#sent.size - answered - told,
      duplicates_marked: copies.reduce(
        (sum, all, at) => sum + Math.max(0, all.length - Math.max(1, silent[at] ?? 0)),
        0,
      ),
      duplicates_unmarked: silent.reduce((sum, n) => sum + Math.max(0, n - 1), 0),
    };
  }

  /** Those that came more than once without saying so, for whoever looks for the reason. */
  doubled(): { id: string; deliveries: string[] }[] {
    return [...this.#sent].flatMap(([n, { id }]) => {
      const silent = (this.#copies.get(n) ?? []).filter(({ marked }) => !marked);
      return silent.length > 1 ? [{ id, deliveries: silent.map(({ delivery }) => delivery) }] : [];
    });
  }
}
