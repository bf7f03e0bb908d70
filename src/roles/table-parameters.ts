/** Parameters whose words may name lookup tables, and the tables that they name. */
import { type ListElement, ParameterRegistry, type Settings } from '#config';

/** Each word may name a table. */
const tableLists =
  /(?<!^proxy_(?:read|write))(?:_maps|_checks|_restrictions|(?:command|reply|status|mechanism)_filter|_exceptions|_access_list|_clientcerts|_requiretls_policy|^local_header_rewrite_clients)$/;
/** A word that begins with `/` is a file of patterns, another with a colon a table. */
const patternLists = /(?:_domains|_networks|_hosts|_users|_destinations|_exclusions|^mydestination|^mynetworks)$/;

/** Whether the words of a parameter are patterns, unless they name files or tables. */
export function takesPatterns(name: string): boolean {
  return patternLists.test(name);
}

/** Each word is `type:name`, nothing else. */
const pureTables = /(?:_maps|_checks|(?:command|reply|status)_filter|_clientcerts)$/;

/** Whether a word without a colon can only be a table whose type was left out. */
export function takesOnlyTables(name: string): boolean {
  return pureTables.test(name);
}

export const tableParameters: readonly string[] = new ParameterRegistry()
  .names()
  .filter((name) => tableLists.test(name) || patternLists.test(name));

export interface NamedTable {
  readonly parameter: string;
  readonly element: ListElement;
}

/** All that is named in lists, what main.cf sets before defaults that refer to it. */
export function namedTables(settings: Settings): readonly NamedTable[] {
  const classes = settings.list('smtpd_restriction_classes');
  // no user of this machine gets mail: the default aliases are nobody's
  const isUnused = (name: string): boolean =>
    settings.string('mydestination') === '' &&
    ['alias_maps', 'local_recipient_maps'].includes(name) &&
    !settings.isSet(name);
  return [...tableParameters.filter((name) => !isUnused(name)), ...classes]
    .toSorted((a, b) => Number(settings.isSet(b)) - Number(settings.isSet(a)))
    .flatMap((parameter) => settings.elements(parameter).map((element) => ({ parameter, element })));
}
