/** The shape of a queue: how many addresses of each domain are how old. qshape(1), QSHAPE_README */

export interface ShapeRules {
  /** Age groups; the last has no end. */
  readonly buckets: number;
  /** Width of the first group. */
  readonly tickMinutes: number;
  /** Groups of one width, instead of each twice as wide as the one before. */
  readonly isLinear: boolean;
  /** Parent domains are shown too. */
  readonly withParents: boolean;
  /** Fewest subdomains of a parent that is shown. */
  readonly minSubdomains: number;
}

export interface DomainRow {
  /** `TOTAL`, a domain, or with a leading dot a parent. */
  readonly name: string;
  /** The sum, then the age groups. */
  readonly counts: readonly number[];
}

interface Tally {
  readonly counts: number[];
  subdomains: number;
}

/** 1 for the youngest. */
function bucketOf(ageMs: number, { tickMinutes, isLinear, buckets }: ShapeRules): number {
  const ticks = ageMs / (60_000 * tickMinutes);
  if (ticks < 1) return 1;
  return Math.min(buckets, isLinear ? Math.floor(ticks + 1) : 2 + Math.floor(Math.log2(ticks)));
}

function domainOf(address: string): string {
  if (address === '') return 'MAILER-DAEMON';
  const domain = address
    .slice(address.lastIndexOf('@') + 1)
    .toLowerCase()
    .replaceAll('..', '.');
  return domain.replace(/^\.?(.+?)\.?$/, '$1');
}

/** `.example.com` of `mail.example.com` and of `.mail.example.com`; undefined for what is below a top level domain. */
function parentOf(domain: string): string | undefined {
  const parent = domain.replace(/^\.?[^.]+\./, '');
  return parent !== domain && parent.includes('.') ? `.${parent}` : undefined;
}

/** Counts addresses as they come. */
export class QueueShape {
  readonly #rules: ShapeRules;
  readonly #tallies = new Map<string, Tally>();

  constructor(rules: ShapeRules) {
    this.#rules = rules;
    this.#tally('TOTAL');
  }

  #tally(name: string): Tally {
    const known = this.#tallies.get(name);
    if (known !== undefined) return known;
    const made = { counts: Array.from({ length: this.#rules.buckets + 1 }, () => 0), subdomains: 0 };
    this.#tallies.set(name, made);
    return made;
  }

  add(address: string, ageMs: number): void {
    const bucket = bucketOf(ageMs, this.#rules);
    const count = (name: string): Tally => {
      const tally = this.#tally(name);
      tally.counts[0] = (tally.counts[0] ?? 0) + 1;
      tally.counts[bucket] = (tally.counts[bucket] ?? 0) + 1;
      return tally;
    };
    count('TOTAL');
    let isNewBelow = false;
    for (let name: string | undefined = domainOf(address); name !== undefined;) {
      const tally = count(name);
      if (isNewBelow) tally.subdomains += 1;
      isNewBelow = tally.counts[0] === 1;
      name = this.#rules.withParents ? parentOf(name) : undefined;
    }
  }

  /** The largest first. */
  rows(): readonly DomainRow[] {
    const sum = ({ counts }: DomainRow): number => counts[0] ?? 0;
    return [...this.#tallies]
      .filter(([name, { subdomains }]) => !name.startsWith('.') || subdomains >= this.#rules.minSubdomains)
      .map(([name, { counts }]) => ({ name, counts }))
      .toSorted((a, b) => sum(b) - sum(a) || a.name.length - b.name.length || (a.name < b.name ? -1 : 1));
  }
}
