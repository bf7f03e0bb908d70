/**
 * Which names mean something: built in, brought by a service, or made by the user (a restriction class, a name that
 * another value refers to). postconf(1) -C, and its warnings about names that nothing uses
 */
import {
  commentWarning,
  deprecation,
  expandValue,
  type MainFile,
  type MasterText,
  type Parameter,
  parametersOf,
  type ParameterRegistry,
  type PlacedEntry,
  referredNames,
} from '#config';
import { databaseFileWarnings, databaseSettingNames } from './database-clients.ts';

export type NameClass = 'builtin' | 'service' | 'user';

export interface KnownNames {
  readonly classOf: (name: string) => NameClass | undefined;
  readonly userNames: ReadonlySet<string>;
  /** Whether the `-o` settings of a service use one of theirs. */
  readonly isUsedIn: (placed: PlacedEntry, name: string) => boolean;
}

const classList = 'smtpd_restriction_classes';

/** Dropped, or read only when main.cf has it and not its successor. */
const isFormer = ({ obsolete }: Parameter): boolean => obsolete === 'removed' || obsolete === 'legacy-fallback';

function builtInClass(registry: ParameterRegistry, name: string): NameClass | undefined {
  const parameter = registry.get(name);
  if (parameter === undefined || isFormer(parameter) || !registry.isListed(name)) return undefined;
  return parameter.isPerService === true ? 'service' : 'builtin';
}

/** A space of names: main.cf, or the `-o` settings of a service with main.cf behind them. */
interface Scope {
  readonly path: string;
  readonly values: ReadonlyMap<string, string>;
  /** Whether this space defines it; then it is noted that something uses it. */
  readonly use: (name: string) => boolean;
  readonly warn: (text: string) => void;
}

/** Notes every name that a value of the scope uses. */
function scan({ path, values, use, warn }: Scope, registry: ParameterRegistry, expand: (text: string) => string): void {
  const settle = (name: string): void => {
    if (!use(name) && registry.get(name) === undefined) warn(`${path}: undefined parameter: ${name}`);
  };
  for (const [name, value] of values) {
    if (registry.isReadOnly(name)) warn(`${path}: read-only parameter assignment: ${name}=${value}`);
    // only the syntax counts here; 0 is a value that every kind of comparison takes
    const expansion = expandValue(value, () => '0');
    if (expansion.kind === 'failed' && expansion.isSyntax) warn(expansion.reason);
    // what stands in for a recipient or a client is known when there is one
    if (expansion.kind === 'ok' && registry.get(name)?.kind !== 'raw') referredNames(value).forEach(settle);
    // a parameter that Postfix does not know may refer to itself, as long as nothing asks for it
    const expanded = registry.get(name) === undefined ? value : expand(value);
    if (name === classList) for (const word of expanded.split(/[\s,]+/).filter((text) => text !== '')) settle(word);
    const comment = expanded.includes('#') ? commentWarning(path, expanded) : undefined;
    if (comment !== undefined) warn(comment);
    // tables are opened for parameters only
    if (registry.get(name) === undefined || !expanded.includes(':')) continue;
    for (const other of databaseSettingNames(expanded)) use(other);
    for (const text of databaseFileWarnings(expanded)) warn(text);
  }
}

/** Of settings with one name the last one counts. */
const parameterValues = ({ entry }: PlacedEntry): ReadonlyMap<string, string> =>
  new Map(parametersOf(entry).map(({ name, value }) => [name, value]));

interface ConfigurationText {
  readonly main: MainFile;
  readonly overrides: ReadonlyMap<string, string>;
  readonly master: MasterText;
  readonly masterPath: string;
  readonly registry: ParameterRegistry;
  /** Throws when it can't. */
  readonly expand: (text: string) => string;
}

/** `warn` hears of names that nothing defines, and of values that can't be read. */
export function findKnownNames(text: ConfigurationText, warn: (text: string) => void): KnownNames {
  const { main, overrides, master, masterPath, registry, expand } = text;
  const values = new Map([...[...main.byName].map(([name, entry]) => [name, entry.value] as const), ...overrides]);
  const userNames = new Set([...values.keys()].filter((name) => registry.get(name)?.obsolete === 'legacy-fallback'));
  const services = master.entries.map((placed) => ({
    placed,
    own: parameterValues(placed),
    used: new Set<string>(),
  }));
  const useInMain = (name: string): boolean => {
    if (builtInClass(registry, name) !== undefined) return true;
    if (values.has(name)) userNames.add(name);
    return values.has(name);
  };
  for (const { own, used } of services) {
    const use = (name: string): boolean => {
      if (own.has(name)) used.add(name);
      return own.has(name) || useInMain(name);
    };
    scan({ path: masterPath, values: own, use, warn }, registry, expand);
  }
  // what main.cf refers to may be for each service to say
  const useAnywhere = (name: string): boolean => {
    const owners = services.filter(({ own }) => own.has(name));
    for (const { used } of owners) used.add(name);
    return useInMain(name) || owners.length > 0;
  };
  scan({ path: main.path, values, use: useAnywhere, warn }, registry, expand);
  const usedInEntries = new Map<PlacedEntry, ReadonlySet<string>>(services.map(({ placed, used }) => [placed, used]));
  return {
    userNames,
    classOf: (name) => builtInClass(registry, name) ?? (userNames.has(name) ? 'user' : undefined),
    isUsedIn: (placed, name) => usedInEntries.get(placed)?.has(name) === true,
  };
}

const byName = <T extends { readonly name: string }>(a: T, b: T): number => (a.name < b.name ? -1 : 1);

/** Warnings about names in main.cf that nothing uses, or that will go. */
export function unusedInMain(
  main: MainFile,
  registry: ParameterRegistry,
  names: KnownNames,
  overrides: ReadonlyMap<string, string>,
): readonly string[] {
  const given = [...overrides].map(([name, value]) => ({ name, value }));
  const entries = [...[...main.byName.values()].filter(({ name }) => !overrides.has(name)), ...given];
  return entries.toSorted(byName).flatMap(({ name, value }) => {
    const old = deprecation(registry, name);
    if (old !== undefined) return [`${main.path}: ${old}`];
    return names.classOf(name) === undefined ? [`${main.path}: unused parameter: ${name}=${value}`] : [];
  });
}

/** The same for the `-o` settings of master.cf. */
export function unusedInMaster(
  path: string,
  master: MasterText,
  registry: ParameterRegistry,
  names: KnownNames,
): readonly string[] {
  return master.entries.flatMap((placed) =>
    [...parameterValues(placed)].flatMap(([name, value]) => {
      const old = deprecation(registry, name);
      if (old !== undefined) return [`${path}: ${old}`];
      const isKnown = names.classOf(name) !== undefined || names.isUsedIn(placed, name);
      return isKnown ? [] : [`${path}: unused parameter: ${name}=${value}`];
    }),
  );
}
