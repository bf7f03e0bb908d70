/** What the settings of TLS are called: the SMTP server and postscreen have their own. postconf(5) */

export interface TlsParameters {
  /** undefined: there is always something said before TLS. */
  readonly wrapperMode?: string;
  readonly securityLevel: string;
  readonly enforce: string;
  readonly use: string;
  readonly chainFiles: string;
  /** Certificate and key, for each kind of key, and what the log calls it. */
  readonly keyPairs: readonly (readonly [certificate: string, key: string, algorithm: string])[];
  readonly authorityFile: string;
  readonly authorityDirectory: string;
  readonly asksCertificate: string;
  readonly requiresCertificate: string;
  readonly verifyDepth: string;
  readonly fingerprintDigest: string;
  readonly protocols: string;
  readonly mandatoryProtocols: string;
  readonly ciphers: string;
  readonly mandatoryCiphers: string;
  readonly excludedCiphers: string;
  readonly mandatoryExcludedCiphers: string;
  readonly finiteField: string;
  readonly logLevel: string;
  readonly logLevelMaps: string;
  readonly timeout: string;
}

/** What files of keys and of authorities are called. */
export type KeyParameters = Pick<TlsParameters, 'chainFiles' | 'keyPairs' | 'authorityFile' | 'authorityDirectory'> &
  Partial<Pick<TlsParameters, 'finiteField'>> & {
    /** Of authorities that vouch for servers. */
    readonly trustAnchorFiles?: string;
  };

export type CipherParameters = Pick<
  TlsParameters,
  'ciphers' | 'mandatoryCiphers' | 'excludedCiphers' | 'mandatoryExcludedCiphers'
>;

/** What says whether there is TLS at all. */
export type LevelParameters = Pick<TlsParameters, 'wrapperMode' | 'securityLevel' | 'enforce' | 'use'> & {
  /** By destination. */
  readonly policies?: string;
};

/** Of the SMTP and LMTP clients. */
export type ClientTlsParameters = KeyParameters &
  CipherParameters &
  LevelParameters &
  Pick<TlsParameters, 'protocols' | 'mandatoryProtocols' | 'verifyDepth' | 'fingerprintDigest'> & {
    readonly sessionCache: string;
    readonly sessionTimeout: string;
  };

/** Of the SMTP or the LMTP client. */
export function clientTlsParameters(protocol: 'smtp' | 'lmtp'): ClientTlsParameters {
  const own = (name: string): string => `${protocol}_${name}`;
  return {
    wrapperMode: own('tls_wrappermode'),
    securityLevel: own('tls_security_level'),
    policies: own('tls_policy_maps'),
    trustAnchorFiles: own('tls_trust_anchor_file'),
    enforce: own('enforce_tls'),
    use: own('use_tls'),
    chainFiles: own('tls_chain_files'),
    keyPairs: [
      [own('tls_cert_file'), own('tls_key_file'), 'RSA'],
      [own('tls_eccert_file'), own('tls_eckey_file'), 'ECDSA'],
      [own('tls_dcert_file'), own('tls_dkey_file'), 'DSA'],
    ],
    authorityFile: own('tls_CAfile'),
    authorityDirectory: own('tls_CApath'),
    verifyDepth: own('tls_scert_verifydepth'),
    fingerprintDigest: own('tls_fingerprint_digest'),
    protocols: own('tls_protocols'),
    mandatoryProtocols: own('tls_mandatory_protocols'),
    ciphers: own('tls_ciphers'),
    mandatoryCiphers: own('tls_mandatory_ciphers'),
    excludedCiphers: own('tls_exclude_ciphers'),
    mandatoryExcludedCiphers: own('tls_mandatory_exclude_ciphers'),
    sessionCache: own('tls_session_cache_database'),
    sessionTimeout: own('tls_session_cache_timeout'),
  };
}

export const smtpdParameters: TlsParameters = {
  wrapperMode: 'smtpd_tls_wrappermode',
  securityLevel: 'smtpd_tls_security_level',
  enforce: 'smtpd_enforce_tls',
  use: 'smtpd_use_tls',
  chainFiles: 'smtpd_tls_chain_files',
  keyPairs: [
    ['smtpd_tls_cert_file', 'smtpd_tls_key_file', 'RSA'],
    ['smtpd_tls_eccert_file', 'smtpd_tls_eckey_file', 'ECDSA'],
    ['smtpd_tls_dcert_file', 'smtpd_tls_dkey_file', 'DSA'],
  ],
  authorityFile: 'smtpd_tls_CAfile',
  authorityDirectory: 'smtpd_tls_CApath',
  asksCertificate: 'smtpd_tls_ask_ccert',
  requiresCertificate: 'smtpd_tls_req_ccert',
  verifyDepth: 'smtpd_tls_ccert_verifydepth',
  fingerprintDigest: 'smtpd_tls_fingerprint_digest',
  protocols: 'smtpd_tls_protocols',
  mandatoryProtocols: 'smtpd_tls_mandatory_protocols',
  ciphers: 'smtpd_tls_ciphers',
  mandatoryCiphers: 'smtpd_tls_mandatory_ciphers',
  excludedCiphers: 'smtpd_tls_exclude_ciphers',
  mandatoryExcludedCiphers: 'smtpd_tls_mandatory_exclude_ciphers',
  finiteField: 'smtpd_tls_dh1024_param_file',
  logLevel: 'smtpd_tls_loglevel',
  logLevelMaps: 'smtpd_tls_loglevel_maps',
  timeout: 'smtpd_starttls_timeout',
};

export const postscreenParameters: TlsParameters = {
  securityLevel: 'postscreen_tls_security_level',
  enforce: 'postscreen_enforce_tls',
  use: 'postscreen_use_tls',
  chainFiles: 'postscreen_tls_chain_files',
  keyPairs: [
    ['postscreen_tls_cert_file', 'postscreen_tls_key_file', 'RSA'],
    ['postscreen_tls_eccert_file', 'postscreen_tls_eckey_file', 'ECDSA'],
    ['postscreen_tls_dcert_file', 'postscreen_tls_dkey_file', 'DSA'],
  ],
  authorityFile: 'postscreen_tls_CAfile',
  authorityDirectory: 'postscreen_tls_CApath',
  asksCertificate: 'postscreen_tls_ask_ccert',
  requiresCertificate: 'postscreen_tls_req_ccert',
  verifyDepth: 'postscreen_tls_ccert_verifydepth',
  fingerprintDigest: 'postscreen_tls_fingerprint_digest',
  protocols: 'postscreen_tls_protocols',
  mandatoryProtocols: 'postscreen_tls_mandatory_protocols',
  ciphers: 'postscreen_tls_ciphers',
  mandatoryCiphers: 'postscreen_tls_mandatory_ciphers',
  excludedCiphers: 'postscreen_tls_exclude_ciphers',
  mandatoryExcludedCiphers: 'postscreen_tls_mandatory_exclude_ciphers',
  finiteField: 'postscreen_tls_dh1024_param_file',
  logLevel: 'postscreen_tls_loglevel',
  logLevelMaps: 'postscreen_tls_loglevel_maps',
  timeout: 'postscreen_starttls_timeout',
};
