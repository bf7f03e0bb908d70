/** Header fields that ask something of TLS on the further way. RFC 8689, 5; REQUIRETLS_README */
import { fieldBody } from '#message';
import type { CleanupSettings } from './settings.ts';

export interface TlsRequests {
  /** `Require-TLS-ESMTP: yes` stands for REQUIRETLS that went through a content filter. */
  requireTls: boolean;
  /** `TLS-Required: no` */
  tlsNotRequired: boolean;
}

/** What a field asks for, noted in `requests`. `key`: its name in lower case. False: it makes no sense. */
export function noteTlsField(
  key: string,
  text: string,
  settings: Pick<CleanupSettings, 'requireTlsField' | 'tlsRequiredField'>,
  requests: TlsRequests,
): boolean {
  const value = (): string => fieldBody(text).trim().toLowerCase();
  if (key === 'require-tls-esmtp' && settings.requireTlsField) requests.requireTls ||= value() === 'yes';
  if (key !== 'tls-required' || !settings.tlsRequiredField) return true;
  if (value() !== 'no') return false;
  requests.tlsNotRequired = true;
  return true;
}
