/** Parameters of virtual: name, default, kind, bounds, what replaced it. postconf(5) */
import type { ParameterRow } from '../registry.ts';

export const virtualParameters: readonly ParameterRow[] = [
  ['virtual_delivery_status_filter', '$default_delivery_status_filter', 'list'],
  ['virtual_gid_maps', '', 'list'],
  ['virtual_mailbox_base', '', 'string', { nonEmpty: true }],
  ['virtual_mailbox_limit', '51200000', 'int', { min: 0 }],
  ['virtual_mailbox_lock', 'fcntl, dotlock', 'list', { nonEmpty: true }],
  ['virtual_minimum_uid', '100', 'int', { min: 1 }],
  ['virtual_uid_maps', '', 'list'],
];
