/** `$name` in forward_path, luser_relay and command_execution_directory. local(8); postconf(5) forward_path */
import { expandValue } from '#config';
import { type ByteFilter, filtered } from '#message';
import type { Mailee } from './job.ts';

export interface LocalExpansion {
  readonly text: string;
  /** Whether all names have a value. */
  readonly isWhole: boolean;
}

export interface ExpansionFacts {
  readonly home: string;
  readonly shell: string;
  /** recipient_delimiter; the first of them stands for the one that the address lacks. */
  readonly delimiters: string;
  /** What values may hold; undefined for all. */
  readonly filter: ByteFilter | undefined;
}

/** Names without a value are left out. */
function valuesOf(mailee: Mailee, { home, shell, delimiters }: ExpansionFacts): ReadonlyMap<string, string> {
  const values = [
    ['user', mailee.user],
    ['home', home],
    ['shell', shell],
    ['recipient', mailee.address],
    ['extension', mailee.extension],
    ['domain', mailee.domain],
    ['local', mailee.local],
    ['mailbox', mailee.local],
    ['recipient_delimiter', mailee.delimiter || delimiters.slice(0, 1)],
  ] as const;
  return new Map(values.filter(([, value]) => value !== ''));
}

/** Undefined where the template can't be read. */
export function expandLocal(template: string, mailee: Mailee, facts: ExpansionFacts): LocalExpansion | undefined {
  const { filter } = facts;
  const values = valuesOf(mailee, facts);
  const expansion = expandValue(template, (name) => {
    const value = values.get(name);
    // what strangers write is no template
    return (filter === undefined || value === undefined ? value : filtered(value, filter))?.replaceAll('$', '$$$$');
  });
  if (expansion.kind !== 'ok') return undefined;
  return { text: expansion.text, isWhole: expansion.undefinedNames.length === 0 };
}
