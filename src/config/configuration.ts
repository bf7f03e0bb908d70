/** A configuration directory, read and checked as a whole. */
import { readFileSync } from 'node:fs';
import { textOf } from '#message';
import { errnoText } from '#native';
import { familiesOf } from './address-families.ts';
import { compareLevels } from './compatibility-level.ts';
import {
  defaultMydomain,
  defaultMyhostname,
  defaultMynetworks,
  type HostFacts,
  systemHostFacts,
} from './host-defaults.ts';
import { type MainFile, parseMainFile } from './main-cf.ts';
import { type MasterFile, parseMasterFile } from './master-cf.ts';
import { userProblems } from './named-users.ts';
import { type Parameter, ParameterRegistry } from './registry.ts';
import { type SettingSources, SettingValues } from './setting-values.ts';
import { ConfigError, type Configuration, type ServiceEntry, type Settings } from './settings.ts';
import { strayArguments } from './stray-arguments.ts';
import { findUnsupported } from './unsupported.ts';
import { findWarnings } from './warnings.ts';

export interface SettingOptions {
  /** `-o name=value`. */
  readonly overrides?: ReadonlyMap<string, string>;
  readonly host?: HostFacts;
  /** main.cf as the caller has read it, instead of the directory's. */
  readonly main?: MainFile;
  /** What `$process_name` stands for outside of services. */
  readonly processName?: string;
}

export interface LoadOptions extends SettingOptions {
  /** Commands need main.cf only; without this, master.cf must be there and every value is checked. */
  readonly mainOnly?: boolean;
  /** What is not supported does not refuse the configuration: for commands that run nothing. */
  readonly allowsUnsupported?: boolean;
}

function readText(path: string): string {
  try {
    // of another character set, perhaps: a banner, a table's name
    return textOf(readFileSync(path));
  } catch (error) {
    throw new ConfigError([`open ${path}: ${errnoText(error)}`]);
  }
}

/** Registry, computed defaults and files, joined. */
export function openSettings(
  directory: string,
  options: SettingOptions = {},
): {
  readonly main: MainFile;
  readonly registry: ParameterRegistry;
  readonly settings: SettingValues;
  readonly sources: SettingSources;
} {
  const main = options.main ?? parseMainFile(`${directory}/main.cf`, readText(`${directory}/main.cf`));
  const registry = new ParameterRegistry();
  const host = options.host ?? systemHostFacts();
  const computed = (name: string, values: SettingValues): string | undefined =>
    computedDefault(name, values, host, directory);
  const sources: SettingSources = {
    main,
    registry,
    computed,
    overrides: options.overrides ?? new Map<string, string>(),
    processName: options.processName ?? '',
  };
  return { main, registry, sources, settings: new SettingValues(sources) };
}

/** Defaults that the registry can't hold as text. */
function computedDefault(name: string, values: SettingValues, host: HostFacts, directory: string): string | undefined {
  switch (name) {
    case 'myhostname':
      return host.hostname.includes('.') || !values.isSet('mydomain')
        ? defaultMyhostname(host)
        : `${host.hostname}.${values.string('mydomain')}`;
    case 'mydomain':
      return defaultMydomain(values.isSet('myhostname') ? values.string('myhostname') : defaultMyhostname(host));
    case 'mynetworks':
      return defaultMynetworks(
        host,
        values.string('mynetworks_style'),
        values.list('inet_interfaces'),
        familiesOf(values),
      );
    case 'config_directory':
      return directory;
    case 'process_id':
      return String(process.pid);
    case 'process_name':
      return values.processName;
    case 'service_name':
      return values.serviceName;
    // legacy-fallback: the old name's value counts while the new one is not set
    case 'virtual_alias_maps':
      return values.isSet('virtual_maps') ? '$virtual_maps' : undefined;
    default:
      return undefined;
  }
}

/** Checks every value that is set; where these are right, every default that depends on one. */
function checkValues(settings: SettingValues, parameters: readonly Parameter[]): readonly string[] {
  const problems = badValues(
    settings,
    parameters.filter(({ name }) => settings.isSet(name)),
  );
  if (problems.length > 0) return problems;
  return badValues(
    settings,
    parameters.filter(({ name }) => !settings.isSet(name)),
  );
}

/** What is said of a compatibility_level that is no version. */
export function levelProblem(path: string, level: string): string {
  return `${path}: bad value for parameter compatibility_level: "${level}": write a version such as 3.6`;
}

/** What is wrong with the values of some parameters. */
export function badValues(settings: SettingValues, parameters: readonly Parameter[]): readonly string[] {
  const problems: string[] = [];
  for (const parameter of parameters) {
    if (parameter.kind === 'readOnly' || parameter.obsolete === 'removed') continue;
    try {
      settings.check(parameter);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems.push(...error.problems);
    }
  }
  return problems;
}

/** The first pattern that matches counts: `type`, `name/type` or `name.type`, with `!` for a service that is not meant. master_service_disable */
function isDisabled({ name, type }: ServiceEntry, patterns: readonly string[]): boolean {
  const whole = `${name}/${type}`.toLowerCase();
  for (const written of patterns) {
    const [, marks = '', pattern = ''] = /^(!*)(.*)$/s.exec(written.toLowerCase()) ?? [];
    const meant = pattern.includes('/') ? pattern : pattern.replace(/\.(?=[^.]*$)/, '/');
    if (meant === whole || meant === type) return marks.length % 2 === 0;
  }
  return false;
}

/**
 * Reads main.cf and master.cf of a directory. Throws ConfigError with every problem found: file, line, text, and what
 * is expected. Nothing that would change what happens to mail is ignored (`unsupported.ts`).
 */
export function loadConfiguration(directory: string, options: LoadOptions = {}): Configuration {
  const { main, registry, settings, sources } = openSettings(directory, options);
  const load = (): MasterFile => {
    const level = settings.string('compatibility_level');
    const below1 = compareLevels(level, '1');
    if (below1 === undefined) {
      throw new ConfigError([levelProblem(main.path, level)]);
    }
    const defaults = {
      chroot: below1 < 0,
      processLimit: settings.int('default_process_limit'),
      isLimitChosen: settings.isSet('default_process_limit'),
    };
    return parseMasterFile(`${directory}/master.cf`, readText(`${directory}/master.cf`), defaults);
  };
  if (options.mainOnly === true)
    return {
      directory,
      settings,
      services: [],
      settingsFor: () => settings,
      stressedSettingsFor: () => settings,
      unsupported: [],
      warnings: main.warnings,
    };
  const master = load();
  for (const entry of master.services) registry.addService(entry.name, entry.command);
  const services = master.services.filter((entry) => !isDisabled(entry, settings.list('master_service_disable')));
  const views = new Map<ServiceEntry, SettingValues>(
    services.map((entry) => [entry, new SettingValues(sources, entry)]),
  );
  const set = (names: Iterable<string>): readonly Parameter[] => [...names].flatMap((name) => registry.get(name) ?? []);
  const settingsFor = (entry: ServiceEntry): Settings => views.get(entry) ?? settings;
  const unsupported = findUnsupported({ settings, services, settingsFor });
  const problems = [
    ...strayArguments(services),
    ...checkValues(settings, set(registry.names())),
    ...[...views].flatMap(([entry, view]) => checkValues(view, set(entry.overrides.keys()))),
    ...(options.allowsUnsupported === true ? [] : unsupported),
  ];
  if (problems.length === 0 && options.allowsUnsupported !== true) problems.push(...userProblems(settings));
  if (problems.length > 0) throw new ConfigError([...new Set(problems)]);
  return {
    directory,
    settings,
    services,
    settingsFor,
    stressedSettingsFor: (entry) =>
      new SettingValues(sources, { ...entry, overrides: new Map([...entry.overrides, ['stress', 'yes']]) }),
    unsupported,
    warnings: [...master.warnings, ...findWarnings({ main, registry, services, settings, settingsFor })],
  };
}
