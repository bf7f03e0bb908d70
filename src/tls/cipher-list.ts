/** The ciphers of a grade without those that are excluded, as OpenSSL reads them. postconf(5) smtpd_tls_ciphers */
import type { Settings } from '#config';
import type { CipherParameters } from './parameters.ts';

export interface CipherDemands {
  readonly isDemanded: boolean;
  readonly asksCertificate: boolean;
  /** Instead of the one in the settings. */
  readonly grade?: string | undefined;
  /** Besides those in the settings. */
  readonly excluded?: readonly string[];
}

/** `list`: undefined where there is no such grade. */
export function cipherList(
  settings: Settings,
  names: CipherParameters,
  { isDemanded, asksCertificate, excluded: others = [], ...demands }: CipherDemands,
): { readonly grade: string; readonly list: string | undefined } {
  const grade = demands.grade ?? settings.string(isDemanded ? names.mandatoryCiphers : names.ciphers);
  const list = listOf(settings, grade.toLowerCase());
  if (list === undefined) return { grade, list };
  const excluded = [
    ...settings.list(names.excludedCiphers),
    ...(isDemanded ? settings.list(names.mandatoryExcludedCiphers) : []),
    ...others,
    // who is anonymous asks nobody who he is
    ...(asksCertificate ? ['aNULL'] : []),
  ];
  return { grade, list: [...list.split(':'), ...excluded.map((name) => `!${name}`)].join(':') };
}

function listOf(settings: Settings, grade: string): string | undefined {
  switch (grade) {
    case 'high':
      return settings.string('tls_high_cipherlist');
    case 'medium':
    case 'low':
    case 'export':
      // the weaker grades are no more
      return settings.string('tls_medium_cipherlist');
    case 'null':
      return settings.string('tls_null_cipherlist');
    default:
      return undefined;
  }
}
