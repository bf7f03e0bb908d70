/** What `postfix tls` tells people, line by line. */

export const reloadLines = [
  'Run the command:',
  '  # postfix reload',
  'if you want the new settings to take effect immediately.',
] as const;

export const deployedLine = 'New TLS private key and certificate deployed.';

export const clientUnchangedLines = [
  '*** Non-default SMTP client TLS settings detected, no changes made.',
  'For opportunistic TLS in the Postfix SMTP client, the below settings',
  'are typical:',
  '  smtp_tls_security_level = may',
  '  smtp_tls_loglevel = 1',
  '  smtp_tls_session_cache_database = btree:${data_directory}/smtp_scache',
] as const;

export const serverUnchangedLines = [
  '*** Non-default SMTP server TLS settings detected, no changes made.',
  'For opportunistic TLS in the Postfix SMTP server, the below settings',
  'are typical:',
  '  smtpd_tls_security_level = may',
  '  smtpd_tls_loglevel = 1',
  'You can use "postfix tls new-server-cert" to create a new certificate.',
  'Or, "postfix tls new-server-key" to also force a new private key.',
  'If you publish DANE TLSA records, see:',
  '  https://tools.ietf.org/html/rfc7671#section-8',
  '  https://tools.ietf.org/html/rfc7671#section-5.1',
  '  https://tools.ietf.org/html/rfc7671#section-5.2',
  '  https://community.letsencrypt.org/t/please-avoid-3-0-1-and-3-0-2-dane-tlsa-records-with-le-certificates/7022',
] as const;

export const clientEnabledLines = ['Enabled opportunistic TLS in the Postfix SMTP client.', ...reloadLines] as const;

export interface KeyPair {
  readonly key: string;
  readonly certificate: string;
}

const requestLines = (key: string): readonly string[] => [
  'To generate a CSR run:',
  `  # postfix tls output-server-csr -k ${key} [<hostname> ...]`,
];

export function serverEnabledLines({ key, certificate }: KeyPair): readonly string[] {
  return [
    'Enabled opportunistic TLS in the Postfix SMTP server',
    deployedLine,
    ...reloadLines,
    ...requestLines(key),
    `Save the signed certificate chain in ${certificate}.`,
    'To generate TLSA records run:',
    '  # postfix tls output-server-tlsa [-h <hostname>]',
    '(If you have DANE TLSA RRs, update them as soon as possible to match',
    'the newly deployed keys).',
  ];
}

/** `isNewKey`: what is published about the old one goes stale. */
export function createdLines({ key, certificate }: KeyPair, isNewKey: boolean): readonly string[] {
  return [
    'New private key and self-signed certificate created. To deploy run:',
    `  # postfix tls deploy-server-cert ${certificate} ${key}`,
    ...requestLines(key),
    `Save the signed certificate chain in ${certificate}, and deploy as above.`,
    'To generate TLSA records run:',
    `  # postfix tls output-server-tlsa [-h <hostname>] ${key}`,
    ...(isNewKey ? ['(deploy after updating the DNS and waiting for stale RRs to expire).'] : []),
  ];
}
