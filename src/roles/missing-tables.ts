/** Tables whose files are not there, or that proxymap(8) may not open: told at the start. Postfix says so at the first lookup, when mail has come. */
import { type Configuration, placeOf, type Settings, settingsViews } from '#config';
import { ProxyApproval, readNetwork, type TableFileProblem as Problem, tableFileProblems, unreadable } from '#tables';
import { type NamedTable, namedTables, takesPatterns } from './table-parameters.ts';

/** What is wrong with a word that names a table or a file of patterns. */
function problemsOf(
  { parameter, element }: NamedTable,
  settings: Settings,
  approval: ProxyApproval,
): readonly Problem[] {
  const text = element.text.replace(/^!+/, '');
  const isPattern = takesPatterns(parameter);
  if (isPattern && text.startsWith('/')) {
    // what virtual_alias_domains has of virtual_alias_maps is told of there
    if (!settings.isSet(parameter)) return [];
    const reason = unreadable(text);
    return reason === undefined
      ? []
      : [{ table: text, reason: `open file ${text}: ${reason}`, remedy: `make ${text}` }];
  }
  // an IPv6 network has colons too
  if (!/^[a-z][a-z0-9_]*:(?!:)/i.test(text) || (isPattern && typeof readNetwork(text) !== 'string')) return [];
  const isAlias = parameter === 'alias_maps';
  const maker = isAlias ? 'postalias' : 'postmap';
  return [...(isAlias ? [] : unapproved(text, approval)), ...tableFileProblems(text, settings, maker)];
}

function unapproved(text: string, approval: ProxyApproval): readonly Problem[] {
  if (!text.startsWith('proxy:')) return [];
  const reason = approval.refusal(text.slice('proxy:'.length), () => undefined);
  return reason === undefined ? [] : [{ table: text, reason, remedy: `list ${text} in proxy_read_maps` }];
}

/** One line for each table that can't be used, where it is named first. */
export function missingTables(
  configuration: Pick<Configuration, 'services' | 'settings' | 'settingsFor'>,
): readonly string[] {
  const approval = new ProxyApproval(configuration.settings, 'proxy_read_maps');
  const views = settingsViews(configuration);
  const told = new Map<string, string>();
  for (const view of views) {
    for (const named of namedTables(view)) {
      const { parameter, element } = named;
      for (const { table, reason, remedy } of problemsOf(named, view, approval)) {
        if (told.has(table)) continue;
        const what = `${parameter}: ${reason}; ${remedy}; as it stands, each lookup in it fails`;
        told.set(table, `${placeOf(element.origin)}${what}`);
      }
    }
  }
  return [...told.values()];
}
