/**
 * Which names mean something: built in, brought by a service, or made by the user (a restriction class, a name that
 * another value refers to). postconf(1) -C, and its warnings about names that nothing uses
 */
import {
  expandValue,
  type MainFile,
  type MasterText,
  type Parameter,
  parametersOf,
  type ParameterRegistry,
  type PlacedEntry,
} from '#config';

export type NameClass = 'builtin' | 'service' | 'user';

export interface KnownNames {
  readonly classOf: (name: string) => NameClass | undefined;
  readonly userNames: ReadonlySet<string>;
}

/** Names that `$` forms of a value refer to. */
function referredNames(value: string): readonly string[] {
  return [...value.replaceAll('$$', '').matchAll(/\$(?:\{\s*|\(\s*)?(\w+)/g)].flatMap(([form, name = '']) =>
    form.includes('{') && name === 'domain_to_ascii' ? [] : [name],
  );
}

const classList = 'smtpd_restriction_classes';

/** Dropped, or read only when main.cf has it and not its successor. */
const isFormer = ({ obsolete }: Parameter): boolean => obsolete === 'removed' || obsolete === 'legacy-fallback';

function builtInClass(registry: ParameterRegistry, name: string): NameClass | undefined {
  const parameter = registry.get(name);
  if (parameter === undefined || isFormer(parameter)) return undefined;
  return parameter.isPerService === true ? 'service' : 'builtin';
}

/** `warn` hears of names that nothing defines, and of values that can't be read. */
export function findKnownNames(
  main: MainFile,
  overrides: ReadonlyMap<string, string>,
  registry: ParameterRegistry,
  warn: (text: string) => void,
): KnownNames {
  const values = new Map([...[...main.byName].map(([name, entry]) => [name, entry.value] as const), ...overrides]);
  const userNames = new Set([...values.keys()].filter((name) => registry.get(name)?.obsolete === 'legacy-fallback'));
  const settle = (name: string): void => {
    if (builtInClass(registry, name) !== undefined) return;
    if (values.has(name)) userNames.add(name);
    else if (registry.get(name) === undefined) warn(`${main.path}: undefined parameter: ${name}`);
  };
  for (const [name, value] of values) {
    // only the syntax counts here; 0 is a value that every kind of comparison takes
    const expansion = expandValue(value, () => '0');
    if (expansion.kind === 'failed') warn(expansion.reason);
    // what stands in for a recipient or a client is known when there is one
    else if (registry.get(name)?.kind !== 'raw') for (const other of referredNames(value)) settle(other);
    if (name === classList) for (const word of value.split(/[\s,]+/).filter((text) => text !== '')) settle(word);
  }
  return {
    userNames,
    classOf: (name) => builtInClass(registry, name) ?? (userNames.has(name) ? 'user' : undefined),
  };
}

const byName = <T extends { readonly name: string }>(a: T, b: T): number => (a.name < b.name ? -1 : 1);

/** Warnings about names in main.cf that nothing uses, or that will go. */
export function unusedInMain(main: MainFile, registry: ParameterRegistry, names: KnownNames): readonly string[] {
  return [...main.byName.values()].toSorted(byName).flatMap(({ name, value }) => {
    const { obsolete, instead } = registry.get(name) ?? {};
    const advice =
      instead === undefined ? '' : `; instead, ${/^\w+$/.test(instead) ? `specify "${instead}"` : instead}`;
    if (obsolete === 'removed') return [`${main.path}: support for parameter "${name}" has been removed${advice}`];
    if (names.classOf(name) === undefined) return [`${main.path}: unused parameter: ${name}=${value}`];
    return obsolete === undefined ? [] : [`${main.path}: support for parameter "${name}" will be removed${advice}`];
  });
}

function unusedInEntry(path: string, { entry }: PlacedEntry, names: KnownNames): readonly string[] {
  const parameters = parametersOf(entry);
  const used = new Set([...parameters.map(({ value }) => value), ...entry.args].flatMap(referredNames));
  return parameters
    .filter(({ name }) => names.classOf(name) === undefined && !used.has(name))
    .map(({ name, value }) => `${path}: unused parameter: ${name}=${value}`);
}

/** The same for the `-o` settings of master.cf. */
export function unusedInMaster(path: string, master: MasterText, names: KnownNames): readonly string[] {
  return master.entries.flatMap((placed) => unusedInEntry(path, placed, names));
}
