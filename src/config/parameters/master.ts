/** Parameters of master: name, default, kind, bounds, what replaced it. postconf(5) */
import type { ParameterRow } from '../registry.ts';

export const masterParameters: readonly ParameterRow[] = [
  ['daemon_directory', '/usr/libexec/postfix', 'string', { nonEmpty: true }],
  ['default_process_limit', '100', 'int', { min: 1 }],
  [
    'import_environment',
    'MAIL_CONFIG MAIL_DEBUG MAIL_LOGTAG TZ XAUTHORITY DISPLAY LANG=C POSTLOG_SERVICE POSTLOG_HOSTNAME XDG_RUNTIME_DIR',
    'list',
  ],
  ['in_flow_delay', '1s', 'time:s', { min: 0, max: 10 }],
  ['inet_protocols', 'all', 'list'],
  ['mail_version', '3.12-20260821', 'readOnly', { nonEmpty: true }],
  ['master_service_disable', '', 'list'],
  ['service_throttle_time', '60s', 'time:s', { min: 1 }],
];
