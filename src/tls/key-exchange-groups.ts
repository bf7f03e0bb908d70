/** The groups that keys may be exchanged in. postconf(5) tls_eecdh_auto_curves, tls_ffdhe_auto_groups */
import type { SecureContextOptions } from 'node:tls';
import type { Settings } from '#config';

const words = (text: string): readonly string[] => text.split(/[\s,:]+/).filter((word) => word !== '');

/** Groups in the order of preference. */
export function groupsOf(settings: Settings): readonly string[] {
  return [...words(settings.string('tls_eecdh_auto_curves')), ...words(settings.string('tls_ffdhe_auto_groups'))];
}

/** Those of the groups that this OpenSSL has; undefined: its own choice. */
export function usableGroups(
  groups: readonly string[],
  createContext: (options: SecureContextOptions) => unknown,
): string | undefined {
  const known = groups.filter((group) => {
    try {
      createContext({ ecdhCurve: group, ca: [] });
      return true;
    } catch {
      // a newer or older OpenSSL may have it
      return false;
    }
  });
  return known.length === 0 ? undefined : known.join(':');
}
