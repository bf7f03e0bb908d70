/** Parameters whose value is a word, or words, out of a few: what they may be, for the check at start. postconf(5) */
import { syslogFacilities } from './syslog-facilities.ts';

const clientTlsLevels = ['none', 'may', 'encrypt', 'dane', 'dane-only', 'fingerprint', 'verify', 'secure'];
const serverTlsLevels = ['none', 'may', 'encrypt', 'verify', 'secure'];
const families = ['any', 'ipv4', 'ipv6'];
const hostLookups = ['dns', 'native'];
const locks = ['flock', 'fcntl', 'dotlock'];
const supportLevels = ['disabled', 'enabled', 'dnssec'];
const probeTargets = ['rcpt', 'data'];
const localSources = ['alias', 'forward', 'include'];

const closedValues: Readonly<Record<string, readonly string[]>> = {
  allow_mail_to_commands: localSources,
  allow_mail_to_files: localSources,
  header_from_format: ['standard', 'obsolete'],
  info_log_address_format: ['external', 'internal'],
  inet_protocols: ['all', 'ipv4', 'ipv6'],
  lmtp_address_preference: families,
  lmtp_address_verify_target: probeTargets,
  lmtp_dns_support_level: supportLevels,
  lmtp_host_lookup: hostLookups,
  lmtp_tls_security_level: clientTlsLevels,
  mailbox_delivery_lock: locks,
  maillog_file_permissions: ['0600', '0640', '0644', '600', '640', '644'],
  masquerade_classes: ['envelope_sender', 'envelope_recipient', 'header_sender', 'header_recipient'],
  mynetworks_style: ['class', 'subnet', 'host'],
  non_bdb_migration_level: ['disable', 'enable-redirect', 'enable-reindex'],
  non_empty_end_of_header_action: ['fix_quietly', 'add_header', 'reject'],
  notify_classes: ['bounce', '2bounce', 'data', 'delay', 'policy', 'protocol', 'resource', 'software'],
  postscreen_tls_security_level: serverTlsLevels,
  propagate_unmatched_extensions: ['canonical', 'virtual', 'alias', 'forward', 'include', 'generic'],
  smtp_address_preference: families,
  postscreen_upstream_proxy_protocol: ['haproxy'],
  sendmail_fix_line_endings: ['always', 'strict', 'never'],
  smtp_address_verify_target: probeTargets,
  smtp_dns_support_level: supportLevels,
  smtp_host_lookup: hostLookups,
  smtp_tls_dane_insecure_mx_policy: ['may', 'encrypt', 'dane'],
  smtp_tls_security_level: clientTlsLevels,
  smtpd_forbid_bare_newline: ['no', 'yes', 'normalize', 'note', 'reject'],
  smtpd_tls_security_level: serverTlsLevels,
  smtpd_upstream_proxy_protocol: ['haproxy'],
  syslog_facility: Object.keys(syslogFacilities),
  virtual_mailbox_lock: locks,
};

/** What is wrong with the words of a value, and what is expected; undefined when nothing is. */
export function wrongWord(name: string, words: readonly string[]): string | undefined {
  const known = closedValues[name];
  const wrong = known === undefined ? undefined : words.find((word) => !known.includes(word.toLowerCase()));
  return wrong === undefined || known === undefined
    ? undefined
    : `unknown word "${wrong}"; known are ${known.join(', ')}`;
}
