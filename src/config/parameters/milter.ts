/** Parameters of milter: name, default, kind, bounds, what replaced it. postconf(5) */
import type { ParameterRow } from '../registry.ts';

export const milterParameters: readonly ParameterRow[] = [
  ['milter_command_timeout', '30s', 'time:s', { min: 1 }],
  ['milter_connect_macros', 'j {daemon_name} {daemon_addr} v _', 'list'],
  ['milter_connect_timeout', '30s', 'time:s', { min: 1 }],
  ['milter_content_timeout', '300s', 'time:s', { min: 1 }],
  ['milter_data_macros', 'i', 'list'],
  ['milter_default_action', 'shutdown', 'list', { nonEmpty: true }],
  ['milter_end_of_data_macros', 'i', 'list'],
  ['milter_end_of_header_macros', 'i', 'list'],
  ['milter_header_checks', '', 'list'],
  ['milter_helo_macros', '{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}', 'list'],
  ['milter_macro_daemon_name', '$myhostname', 'string', { nonEmpty: true }],
  ['milter_macro_defaults', '', 'list'],
  ['milter_macro_v', '$mail_name $mail_version', 'string', { nonEmpty: true }],
  ['milter_mail_macros', 'i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host} {mail_mailer}', 'list'],
  ['milter_protocol', '6', 'list', { nonEmpty: true }],
  ['milter_rcpt_macros', 'i {rcpt_addr} {rcpt_host} {rcpt_mailer}', 'list'],
  ['milter_unknown_command_macros', '', 'list'],
];
