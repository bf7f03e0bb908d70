/** What is said at the start of settings that are not used, or ask for what is not there. */
import { deprecation } from './deprecated.ts';
import type { MainFile } from './main-cf.ts';
import { nearestName } from './nearest-name.ts';
import type { ParameterRegistry } from './registry.ts';
import type { ServiceEntry, Settings } from './settings.ts';
import { unusedArguments } from './stray-arguments.ts';
import { referredNames, undefinedNames } from './undefined-names.ts';
import { findUnoffered } from './unsupported.ts';
import { settingsViews } from './views.ts';

/** A configuration as far as it is read. */
interface Examined {
  readonly main: MainFile;
  readonly registry: ParameterRegistry;
  readonly services: readonly ServiceEntry[];
  readonly settings: Settings;
  readonly settingsFor: (entry: ServiceEntry) => Settings;
}

/** Postfix knows no such name, or did once. */
function isForgotten(registry: ParameterRegistry, name: string): boolean {
  const parameter = registry.get(name);
  return parameter === undefined || parameter.obsolete === 'removed';
}

/** Unknown names, with the nearest known one. A name counts as used when another value refers to it. */
function unknownNames(configuration: Examined): readonly string[] {
  const { main, registry, services } = configuration;
  const texts = [
    ...main.entries.map((entry) => entry.value),
    ...services.flatMap((entry) => [...entry.overrides.values(), ...entry.args]),
  ];
  const mentioned = new Set(texts.flatMap(referredNames));
  const classes = new Set(settingsViews(configuration).flatMap((view) => view.list('smtpd_restriction_classes')));
  const isUnknown = (name: string): boolean =>
    isForgotten(registry, name) && !mentioned.has(name) && !classes.has(name) && !isTableParameter(name, texts);
  const known = registry.names().filter((name) => !isForgotten(registry, name));
  const describe = (file: string, line: number, name: string, value: string): string => {
    const near = nearestName(name, known);
    return `${file}, line ${line}: unused parameter: ${name}=${value}${near === undefined ? '' : ` (did you mean "${near}"?)`}`;
  };
  return [
    ...[...main.byName.values()]
      .filter((entry) => isUnknown(entry.name))
      .map((entry) => describe(main.path, entry.line, entry.name, entry.value)),
    ...services.flatMap((entry) =>
      [...entry.overrides]
        .filter(([name]) => isUnknown(name))
        .map(([name, value]) => describe(entry.origin.file, entry.origin.line, name, value)),
    ),
  ];
}

/** What begins with white space continues the setting before it: so it comes from a guide that indents what it shows. */
function swallowedSettings(main: MainFile, registry: ParameterRegistry): readonly string[] {
  return main.entries.flatMap(({ name, pieces }) =>
    pieces.slice(1).flatMap(({ text, line }) => {
      const swallowed = /^\s+(\w+)\s*=/.exec(text)?.[1];
      if (swallowed === undefined || isForgotten(registry, swallowed)) return [];
      const what = `${swallowed} stands behind white space and is read as part of ${name}`;
      return [`${main.path}, line ${line}: ${what}; put it at the start of the line`];
    }),
  );
}

/** Names that have a successor. */
function deprecatedNames(
  main: MainFile,
  registry: ParameterRegistry,
  services: readonly ServiceEntry[],
): readonly string[] {
  const told = (file: string, line: number, name: string): readonly string[] => {
    const text = deprecation(registry, name);
    return text === undefined ? [] : [`${file}, line ${line}: ${text}`];
  };
  return [
    ...[...main.byName.values()].flatMap(({ name, line }) => told(main.path, line, name)),
    ...services.flatMap(({ overrides, origin }) =>
      [...overrides.keys()].flatMap((name) => told(origin.file, origin.line, name)),
    ),
  ];
}

/** Settings that ask for what is not there yet; one that leaves things as they are by default asks for nothing. */
function pendingNames(
  main: MainFile,
  registry: ParameterRegistry,
  services: readonly ServiceEntry[],
): readonly string[] {
  const asks = (name: string, value: string): boolean => {
    const parameter = registry.get(name);
    return parameter?.status === 'pending' && value !== parameter.defaultValue && !/^(?:no|none|)$/i.test(value);
  };
  const describe = (file: string, line: number, name: string): string =>
    `${file}, line ${line}: ${name} is not implemented yet and has no effect`;
  return [
    ...[...main.byName.values()]
      .filter(({ name, value }) => asks(name, value))
      .map(({ name, line }) => describe(main.path, line, name)),
    ...services.flatMap(({ overrides, origin }) =>
      [...overrides]
        .filter(([name, value]) => asks(name, value))
        .map(([name]) => describe(origin.file, origin.line, name)),
    ),
  ];
}

/** `mysql:NAME` and the like read NAME_hosts, NAME_user … from main.cf (legacy form). */
function isTableParameter(name: string, texts: readonly string[]): boolean {
  return texts.some((text) =>
    [...text.matchAll(/(?:mysql|pgsql|ldap|sqlite|mongodb):(\w+)/g)].some((match) =>
      name.startsWith(`${match[1] ?? ''}_`),
    ),
  );
}

/** Warnings of a configuration, one line each: file, line, name. */
export function findWarnings(configuration: Examined): readonly string[] {
  const { main, registry, services, settings, settingsFor } = configuration;
  return [
    ...main.warnings,
    ...swallowedSettings(main, registry),
    ...unknownNames(configuration),
    ...undefinedNames(main, registry, services),
    ...deprecatedNames(main, registry, services),
    ...pendingNames(main, registry, services),
    ...unusedArguments(services),
    ...findUnoffered({ settings, services, settingsFor }),
  ];
}
