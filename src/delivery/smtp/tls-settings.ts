/** What the client reads of the configuration about TLS. TLS_README; postconf(5) smtp_tls_* and lmtp_tls_* */
import type { Settings } from '#config';
import { oneOf } from './one-of.ts';

export interface TlsSettings {
  readonly level: string;
  readonly wrapperMode: boolean;
  readonly perSite: boolean;
  readonly noteOffer: boolean;
  /** Lines of deliveries say what came of TLS. smtp_log_tls_feature_status */
  readonly isLogged: boolean;
  readonly logLevel: number;
  /** For a domain whose MX records are not signed: smtp_tls_dane_insecure_mx_policy */
  readonly insecureMxPolicy: 'may' | 'encrypt' | 'dane';
  /** smtp_tls_force_insecure_host_tlsa_lookup */
  readonly forcesTlsaLookup: boolean;
  /** The strongest first. tls_dane_digests */
  readonly daneDigests: readonly string[];
  /** smtp_tls_trust_anchor_file */
  readonly trustAnchorFiles: readonly string[];
  /** smtp_tls_fingerprint_cert_match */
  readonly fingerprints: readonly string[];
  /** smtp_tls_verify_cert_match */
  readonly verifyMatch: readonly string[];
  /** smtp_tls_secure_cert_match */
  readonly secureMatch: readonly string[];
  /** What servers are told that they are asked for by: `hostname`, `nexthop`, or a name; '': nothing. */
  readonly serverName: string;
}

export function compileTlsSettings(settings: Settings, protocol: 'smtp' | 'lmtp'): TlsSettings {
  const own = (name: string): string => `${protocol}_${name}`;
  return {
    level: tlsLevel(settings, own),
    wrapperMode: settings.bool(own('tls_wrappermode')),
    perSite: settings.string(own('tls_per_site')) !== '',
    noteOffer: settings.bool(own('tls_note_starttls_offer')),
    isLogged: settings.bool(own('log_tls_feature_status')),
    logLevel: settings.int(own('tls_loglevel')),
    insecureMxPolicy: oneOf(settings.string('smtp_tls_dane_insecure_mx_policy'), ['may', 'encrypt', 'dane'], 'dane'),
    forcesTlsaLookup: settings.bool(own('tls_force_insecure_host_tlsa_lookup')),
    daneDigests: settings.list('tls_dane_digests'),
    trustAnchorFiles: settings.list(own('tls_trust_anchor_file')),
    fingerprints: settings.list(own('tls_fingerprint_cert_match')),
    verifyMatch: names(settings.list(own('tls_verify_cert_match'))),
    secureMatch: names(settings.list(own('tls_secure_cert_match'))),
    serverName: settings.string(own('tls_servername')),
  };
}

/** The level that holds without a policy; the parameters from before levels count when none is set. */
function tlsLevel(settings: Settings, own: (name: string) => string): string {
  const level = settings.string(own('tls_security_level')).toLowerCase();
  if (level !== '') return level;
  if (settings.bool(own('enforce_tls'))) {
    return settings.bool(own('tls_enforce_peername')) ? 'verify' : 'encrypt';
  }
  return settings.bool(own('use_tls')) ? 'may' : 'none';
}

/** Names are apart by colons, too. */
function names(words: readonly string[]): readonly string[] {
  return words.flatMap((word) => word.split(':')).filter((name) => name !== '');
}
