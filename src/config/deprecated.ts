/** Names that Postfix will take away one day and that have a successor. DEPRECATION_README */
import type { ParameterRegistry } from './registry.ts';

/** What is said of a name that is still read; undefined: nothing. */
export function deprecation(registry: ParameterRegistry, name: string): string | undefined {
  const instead = registry.get(name)?.instead;
  if (instead === undefined) return undefined;
  const advice = /^\w+$/.test(instead) ? `specify "${instead}"` : instead;
  return `support for parameter "${name}" will be removed; instead, ${advice}`;
}
