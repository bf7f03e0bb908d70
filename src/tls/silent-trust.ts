/**
 * Authorities that are believed without being named to clients, as those of a directory are: Node names all that are
 * given to a context, but not those that it believes by default. postconf(5) smtpd_tls_CApath
 */
import type { getCACertificates, setDefaultCACertificates } from 'node:tls';

export interface DefaultAuthorities {
  readonly getCACertificates: typeof getCACertificates;
  readonly setDefaultCACertificates: typeof setDefaultCACertificates;
}

/** What is made meanwhile believes these `authorities` (PEM) by default; all that is made later, those from before. */
export function believing<T>(authorities: readonly string[], defaults: DefaultAuthorities, make: () => T): T {
  const before = defaults.getCACertificates('default');
  defaults.setDefaultCACertificates([...authorities]);
  try {
    return make();
  } finally {
    defaults.setDefaultCACertificates(before);
  }
}
