/** Parameters of Posthorn's own; their names begin with `posthorn_`. docs/parameters.md */
import type { ParameterRow } from './registry.ts';

export const posthornParameters: readonly ParameterRow[] = [
  // What receives mail for any name at mydestination in the quick start: a Maildir path with $user; '' is off.
  ['posthorn_catchall_maildir', '', 'string'],
];
