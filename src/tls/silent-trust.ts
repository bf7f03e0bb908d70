/**
 * Authorities that are believed without being named to clients, as those of a directory are: Node names all that are
 * given to a context, but not those that it believes by default. postconf(5) smtpd_tls_CApath
 */
import type { X509Certificate } from 'node:crypto';
import type { getCACertificates, SecureContextOptions, setDefaultCACertificates } from 'node:tls';
import { certificatesIn } from './chain.ts';
import type { Authorities } from './context-options.ts';

export interface DefaultAuthorities {
  readonly getCACertificates: typeof getCACertificates;
  readonly setDefaultCACertificates: typeof setDefaultCACertificates;
}

/** Whose word about clients a service believes. */
export interface Trust {
  readonly context: Pick<SecureContextOptions, 'ca'>;
  /** Read when they are first asked for. */
  readonly certificates: () => readonly X509Certificate[];
  /** Servers that are to believe them are made by this. */
  readonly whileBelieved: <T>(make: () => T) => T;
}

export function trustIn({ named, unnamed }: Authorities, defaults: DefaultAuthorities): Trust {
  const all = [...named, ...unnamed];
  const certificates = onFirstUse(() => certificatesIn(all));
  // beside names that clients are told the others can't be kept from them
  const isSilent = all.length > 0 && named.length === 0;
  if (!isSilent) return { context: { ca: all }, certificates, whileBelieved: (make) => make() };
  const whileBelieved = <T>(make: () => T): T =>
    believing(
      certificates().map((certificate) => certificate.toString()),
      defaults,
      make,
    );
  return { context: {}, certificates, whileBelieved };
}

/** Made when it is asked for, and kept. */
function onFirstUse<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** What is made meanwhile believes these `authorities` (PEM) by default; all that is made later, those from before. */
function believing<T>(authorities: readonly string[], defaults: DefaultAuthorities, make: () => T): T {
  const before = defaults.getCACertificates('default');
  defaults.setDefaultCACertificates([...authorities]);
  try {
    return make();
  } finally {
    defaults.setDefaultCACertificates(before);
  }
}
