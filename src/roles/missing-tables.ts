/** Tables whose files are not there: told at the start. Postfix says so at the first lookup, when mail has come. */
import { type Configuration, type ListElement, type Origin, ParameterRegistry, type Settings } from '#config';
import { readNetwork, tableFileProblems, unreadable } from '#tables';

/** Each word may name a table. */
const tableLists =
  /(?<!^proxy_(?:read|write))(?:_maps|_checks|_restrictions|(?:command|reply|status|mechanism)_filter|_exceptions|_access_list)$/;
/** A word that begins with `/` is a file of patterns, another with a colon a table. */
const patternLists = /(?:_domains|_networks|_hosts|_users|_destinations|_exclusions|^mydestination|^mynetworks)$/;

const names = new ParameterRegistry().names();

const place = (origin: Origin | undefined): string =>
  origin === undefined ? '' : `${origin.file}, line ${origin.line}: `;

interface Named {
  readonly parameter: string;
  readonly element: ListElement;
}

/** All that is named in lists, what main.cf sets before defaults that refer to it. */
function namedTables(settings: Settings): readonly Named[] {
  const classes = settings.list('smtpd_restriction_classes').filter((name) => names.includes(name));
  return [...names, ...classes]
    .filter((name) => tableLists.test(name) || patternLists.test(name))
    .toSorted((a, b) => Number(settings.isSet(b)) - Number(settings.isSet(a)))
    .flatMap((parameter) => settings.elements(parameter).map((element) => ({ parameter, element })));
}

function problemsOf({ parameter, element }: Named, settings: Settings): readonly string[] {
  const text = element.text.replace(/^!+/, '');
  const isPattern = patternLists.test(parameter);
  if (isPattern && text.startsWith('/')) {
    const reason = unreadable(text);
    return reason === undefined ? [] : [`${text}|open file ${text}: ${reason}; make ${text}`];
  }
  // an IPv6 network has colons too
  if (!/^[a-z][a-z0-9_]*:(?!:)/i.test(text) || (isPattern && typeof readNetwork(text) !== 'string')) return [];
  const maker = parameter === 'alias_maps' ? 'postalias' : 'postmap';
  return tableFileProblems(text, settings.string('default_database_type'), maker).map(
    ({ table, reason, remedy }) => `${table}|${reason}; ${remedy}`,
  );
}

function missingIn(settings: Settings): readonly (readonly [table: string, text: string])[] {
  return namedTables(settings).flatMap((named) =>
    problemsOf(named, settings).map((found): readonly [string, string] => {
      const { parameter, element } = named;
      const [table = '', text = ''] = found.split(/\|(.*)/s);
      return [table, `${place(element.origin)}${parameter}: ${text}; as it stands, each lookup in it fails`];
    }),
  );
}

/** One line for each table without its file, where it is named first. */
export function missingTables({
  services,
  settings,
  settingsFor,
}: Pick<Configuration, 'services' | 'settings' | 'settingsFor'>): readonly string[] {
  const views = [settings, ...services.filter(({ overrides }) => overrides.size > 0).map(settingsFor)];
  const told = new Map<string, string>();
  for (const [table, text] of views.flatMap(missingIn)) if (!told.has(table)) told.set(table, text);
  return [...told.values()];
}
