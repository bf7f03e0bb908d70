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

interface Count {
  accepted: number;
  total: number;
}

export class CommandCounters {
  readonly #counts = new Map<string, Count>();

  /** A command has come; its success is told later, or never. */
  begin(verb: string): void {
    this.#of(verb).total += 1;
  }

  succeed(verb: string): void {
    this.#of(verb).accepted += 1;
  }

  #of(verb: string): Count {
    let count = this.#counts.get(verb);
    if (count === undefined) this.#counts.set(verb, (count = { accepted: 0, total: 0 }));
    return count;
  }

  /** With a leading blank. `notes`: what else was odd, such as `bare_lf`. */
  render(notes: readonly string[] = []): string {
    const sum: Count = { accepted: 0, total: 0 };
    let out = '';
    for (const verb of order) {
      const count = this.#counts.get(verb);
      if (count === undefined) continue;
      out += ` ${verb}=${figure(count)}`;
      sum.accepted += count.accepted;
      sum.total += count.total;
    }
    // a session without a command is told from one without an error
    const commands = sum.total === 0 ? '0/0' : figure(sum);
    return `${out} commands=${commands}${notes.length === 0 ? '' : ` notes=${notes.join(',')}`}`;
  }
}

function figure({ accepted, total }: Count): string {
  return accepted === total ? String(total) : `${accepted}/${total}`;
}
