/** Commands of a session, accepted and in all, for the disconnect line: `ehlo=1 mail=1 rcpt=2/3 … commands=5/6`. */

/** Order in which Postfix lists them. */
const order = [
  'helo',
  'ehlo',
  'xclient',
  'xforward',
  'starttls',
  'auth',
  'mail',
  'rcpt',
  'data',
  'bdat',
  'rset',
  'noop',
  'vrfy',
  'etrn',
  'quit',
  'help',
  'unknown',
];

export class CommandCounters {
  readonly #all = new Map<string, { ok: number; total: number }>();

  count(verb: string, isAccepted: boolean): void {
    const entry = this.#all.get(verb) ?? { ok: 0, total: 0 };
    entry.total += 1;
    if (isAccepted) entry.ok += 1;
    this.#all.set(verb, entry);
  }

  /** With a leading blank; empty only when nothing was said. */
  render(): string {
    const figure = ({ ok, total }: { ok: number; total: number }): string =>
      ok === total ? String(ok) : `${ok}/${total}`;
    const sum = { ok: 0, total: 0 };
    let out = '';
    for (const verb of order) {
      const entry = this.#all.get(verb);
      if (entry === undefined) continue;
      out += ` ${verb}=${figure(entry)}`;
      sum.ok += entry.ok;
      sum.total += entry.total;
    }
    return `${out} commands=${figure(sum)}`;
  }
}
