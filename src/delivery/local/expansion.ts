/** `$name` in forward_path, luser_relay and command_execution_directory. local(8); postconf(5) forward_path */
import { expandValue } from '#config';
import { type ByteFilter, filtered } from '#message';
import type { Mailee } from './job.ts';

export interface LocalExpansion {
  readonly text: string;
  /** Whether all names have a value. */
  readonly isWhole: boolean;
}

/** Names without a value are left out. */
function valuesOf(mailee: Mailee, home: string, shell: string): ReadonlyMap<string, string> {
  const values = [
    ['user', mailee.user],
    ['home', home],
    ['shell', shell],
    ['recipient', mailee.address],
    ['extension', mailee.extension],
    ['domain', mailee.domain],
    ['local', mailee.local],
    ['mailbox', mailee.local],
    ['recipient_delimiter', mailee.delimiter],
  ] as const;
  return new Map(values.filter(([, value]) => value !== ''));
}

/** Undefined where the template can't be read. `filter`: what values may hold; undefined for all. */
export function expandLocal(
  template: string,
  mailee: Mailee,
  { home, shell, filter }: { readonly home: string; readonly shell: string; readonly filter: ByteFilter | undefined },
): LocalExpansion | undefined {
  const values = valuesOf(mailee, home, shell);
  const expansion = expandValue(template, (name) => {
    const value = values.get(name);
    // what strangers write is no template
    return (filter === undefined || value === undefined ? value : filtered(value, filter))?.replaceAll('$', '$$$$');
  });
  if (expansion.kind !== 'ok') return undefined;
  return { text: expansion.text, isWhole: expansion.undefinedNames.length === 0 };
}
