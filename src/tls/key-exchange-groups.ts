/** The groups that keys may be exchanged in. postconf(5) smtpd_tls_eecdh_grade, tls_eecdh_auto_curves */
import type { SecureContextOptions } from 'node:tls';
import type { Settings } from '#config';

const words = (text: string): readonly string[] => text.split(/[\s,:]+/).filter((word) => word !== '');

/** Groups in the order of preference; a text says what is wrong. */
export function groupsOf(settings: Settings, grade: string): readonly string[] | string {
  const finiteField = words(settings.string('tls_ffdhe_auto_groups'));
  switch (grade.toLowerCase()) {
    case 'auto':
      return [...words(settings.string('tls_eecdh_auto_curves')), ...finiteField];
    case 'strong':
      return [...words(settings.string('tls_eecdh_strong_curve')), ...finiteField];
    case 'ultra':
      return [...words(settings.string('tls_eecdh_ultra_curve')), ...finiteField];
    case 'none':
      return finiteField;
    default:
      return `invalid TLS eecdh grade "${grade}"; known are auto, none, strong, ultra`;
  }
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
