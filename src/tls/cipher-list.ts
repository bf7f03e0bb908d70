/** The ciphers of a grade without those that are excluded, as OpenSSL reads them. postconf(5) smtpd_tls_ciphers */
import type { Settings } from '#config';
import type { TlsParameters } from './parameters.ts';

/** A text that is no list says what is wrong. */
export function cipherList(
  settings: Settings,
  names: TlsParameters,
  { isDemanded, asksCertificate }: { readonly isDemanded: boolean; readonly asksCertificate: boolean },
): { readonly list: string } | string {
  const parameter = isDemanded ? names.mandatoryCiphers : names.ciphers;
  const grade = settings.string(parameter).toLowerCase();
  const list = listOf(settings, grade);
  if (list === undefined) return `${parameter}: invalid TLS cipher grade "${grade}"`;
  const excluded = [
    ...settings.list(names.excludedCiphers),
    ...(isDemanded ? settings.list(names.mandatoryExcludedCiphers) : []),
    // who is anonymous asks nobody who he is
    ...(asksCertificate ? ['aNULL'] : []),
  ];
  return { list: [...list.split(':'), ...excluded.map((name) => `!${name}`)].join(':') };
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
