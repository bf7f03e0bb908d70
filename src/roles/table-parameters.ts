/** Parameters whose words may name lookup tables. */
import { ParameterRegistry } from '#config';

/** Each word may name a table. */
const tableLists =
  /(?<!^proxy_(?:read|write))(?:_maps|_checks|_restrictions|(?:command|reply|status|mechanism)_filter|_exceptions|_access_list|_clientcerts|_requiretls_policy)$/;
/** A word that begins with `/` is a file of patterns, another with a colon a table. */
const patternLists = /(?:_domains|_networks|_hosts|_users|_destinations|_exclusions|^mydestination|^mynetworks)$/;

/** Whether the words of a parameter are patterns, unless they name files or tables. */
export function takesPatterns(name: string): boolean {
  return patternLists.test(name);
}

export const tableParameters: readonly string[] = new ParameterRegistry()
  .names()
  .filter((name) => tableLists.test(name) || patternLists.test(name));
