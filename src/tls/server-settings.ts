/** TLS of an SMTP service as main.cf asks for it. postconf(5) smtpd_tls_security_level; TLS_README */
import type { SecureContext, SecureContextOptions } from 'node:tls';
import type { Settings } from '#config';
import { type KeyFiles, keyPairs } from './key-files.ts';
import { versionRange } from './protocols.ts';

export interface ServerTls {
  /** Nobody is served without it. */
  readonly isDemanded: boolean;
  /** It begins before the greeting. smtpd_tls_wrappermode */
  readonly wraps: boolean;
  readonly logLevel: number;
  /** smtpd_tls_received_header */
  readonly isInReceived: boolean;
  readonly timeoutMs: number;
  /** undefined: there is no usable certificate. */
  readonly context: SecureContext | undefined;
}

function levelOf(settings: Settings): 'none' | 'may' | 'encrypt' {
  const level = settings.string('smtpd_tls_security_level').toLowerCase();
  if (level === '') {
    if (settings.bool('smtpd_enforce_tls') || settings.bool('smtpd_tls_wrappermode')) return 'encrypt';
    return settings.bool('smtpd_use_tls') ? 'may' : 'none';
  }
  if (settings.bool('smtpd_tls_wrappermode')) return 'encrypt';
  return level === 'none' || level === 'may' ? level : 'encrypt';
}

/** Cipher list, protocols and keys for OpenSSL; a text says what is missing. */
function contextOptions(settings: Settings, isDemanded: boolean, files: KeyFiles): SecureContextOptions | string {
  const range = versionRange(settings.list(isDemanded ? 'smtpd_tls_mandatory_protocols' : 'smtpd_tls_protocols'));
  if (typeof range === 'string') return range;
  const pairs = keyPairs(settings);
  if (pairs.length === 0) return 'no certificate is configured: set smtpd_tls_chain_files';
  const contents: { readonly cert: Buffer; readonly key: Buffer }[] = [];
  for (const pair of pairs) {
    const cert = files.get(pair.certificate);
    const key = files.get(pair.key);
    if (cert === undefined) return `cannot read certificate file "${pair.certificate}"`;
    if (key === undefined) return `cannot read key file "${pair.key}"`;
    contents.push({ cert, key });
  }
  const grade = settings.string(isDemanded ? 'smtpd_tls_mandatory_ciphers' : 'smtpd_tls_ciphers').toLowerCase();
  const list = settings.string(grade === 'high' ? 'tls_high_cipherlist' : 'tls_medium_cipherlist');
  const excluded = [
    ...settings.list('smtpd_tls_exclude_ciphers'),
    ...(isDemanded ? settings.list('smtpd_tls_mandatory_exclude_ciphers') : []),
  ];
  return {
    ...range,
    cert: contents.map(({ cert }) => cert),
    key: contents.map(({ key }) => key),
    // behind the list: what is excluded there can't come back
    ciphers: [...list.split(':'), ...excluded.map((name) => `!${name}`)].join(':'),
    honorCipherOrder: settings.bool('tls_preempt_cipherlist'),
  };
}

/**
 * What a service offers; undefined when it offers no TLS. `files`: from `readKeyFiles`. Keys that can't be used are
 * warned of, and clients are told that TLS is not available.
 */
export async function openServerTls(
  settings: Settings,
  files: KeyFiles,
  warn: (text: string) => void,
): Promise<ServerTls | undefined> {
  const level = levelOf(settings);
  if (level === 'none') return undefined;
  const isDemanded = level === 'encrypt';
  const open = async (): Promise<SecureContext | undefined> => {
    const options = contextOptions(settings, isDemanded, files);
    if (typeof options === 'string') {
      warn(`${options}: disabling TLS support`);
      return undefined;
    }
    // loaded only where it is asked for
    const { createSecureContext } = await import('node:tls');
    try {
      return createSecureContext(options);
    } catch (error) {
      warn(`cannot use certificate and key: ${error instanceof Error ? error.message : ''}: disabling TLS support`);
      return undefined;
    }
  };
  return {
    isDemanded,
    wraps: settings.bool('smtpd_tls_wrappermode'),
    logLevel: Number.parseInt(settings.string('smtpd_tls_loglevel'), 10) || 0,
    isInReceived: settings.bool('smtpd_tls_received_header'),
    timeoutMs: settings.ms('smtpd_starttls_timeout'),
    context: await open(),
  };
}
