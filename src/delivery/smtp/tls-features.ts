/** What the log says of TLS in the line of a delivery. postconf(5) smtp_log_tls_feature_status */
import type { TlsLevel } from './tls-levels.ts';

/** What came of the level that was wanted on a connection. */
export type TlsUse = 'undecided' | 'settled' | 'violated';

export interface ConnectionTls {
  readonly wanted: TlsLevel;
  readonly use: TlsUse;
  readonly isSecured: boolean;
}

/** `may`; `may:none` where the server had no TLS; `may?` before that was known; `!encrypt` where it should have had it. */
export function tlsFeatures({ wanted, use, isSecured }: ConnectionTls): string {
  if (wanted === 'none' || isSecured) return wanted;
  switch (use) {
    case 'undecided':
      return `${wanted}?`;
    case 'settled':
      return `${wanted}:none`;
    case 'violated':
      return `!${wanted}`;
  }
}
