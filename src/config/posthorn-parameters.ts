/** Parameters of Posthorn's own; their names begin with `posthorn_`. ARCHITECTURE.md, "Configuration" */
import type { ParameterRow } from './registry.ts';

export const posthornParameters: readonly ParameterRow[] = [
  // Below virtual_mailbox_base: where virtual(8) puts mail for a name that virtual_mailbox_maps does not list; $user and
  // $domain are the recipient's. '' is off.
  ['posthorn_catchall_maildir', '', 'raw'],
];
