/** Parameters of bounce: name, default, kind, bounds, what replaced it. postconf(5) */
import type { ParameterRow } from '../registry.ts';

export const bounceParameters: readonly ParameterRow[] = [
  ['2bounce_notice_recipient', 'postmaster', 'string', { nonEmpty: true }],
  ['backwards_bounce_logfile_compatibility', 'yes', 'bool'],
  ['bounce_notice_recipient', 'postmaster', 'string', { nonEmpty: true }],
  ['bounce_size_limit', '50000', 'int', { min: 1 }],
  ['bounce_template_file', '', 'string'],
  ['delay_notice_recipient', 'postmaster', 'string', { nonEmpty: true }],
  ['delay_warning_time', '0h', 'time:h', { min: 0 }],
  ['enable_threaded_bounces', 'no', 'bool'],
  ['header_from_format', 'standard', 'enum', { nonEmpty: true }],
  ['mail_name', 'Postfix', 'string', { nonEmpty: true }],
  ['maximal_queue_lifetime', '5d', 'time:d', { min: 0, max: 8_640_000 }],
  ['mydomain', '($myhostname minus first label; "localdomain" when there is none)', 'string', { nonEmpty: true }],
  ['myhostname', '(gethostname(); when it has no dot, .$mydomain is appended)', 'string', { nonEmpty: true }],
  ['notify_classes', 'resource, software', 'list'],
  ['requiretls_enable', 'yes', 'bool'],
  ['requiretls_redact_dsn', 'yes', 'bool'],
  ['smtputf8_enable', '${{$compatibility_level} <level {1} ? {no} : {yes}}', 'bool'],
];
