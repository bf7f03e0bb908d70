/** Shows main.cf parameters. postconf(1) */
import { expandValue, type SettingValues } from '#config';
import type { KnownNames, NameClass } from './known-names.ts';
import type { PostconfOptions } from './options.ts';
import { formatPair } from './print.ts';

export interface MainView {
  readonly options: PostconfOptions;
  readonly settings: SettingValues;
  readonly names: KnownNames;
  /** Names of the registry, sorted. */
  readonly registered: readonly string[];
  readonly classes: ReadonlySet<NameClass>;
  /** Whether who runs it says where the configuration is: then that is set too. */
  readonly namesDirectory: boolean;
  readonly warn: (text: string) => void;
  readonly write: (text: string) => void;
}

/** How much is gathered before it is written: who reads only the start of a long list can go early. */
const writeBytes = 1024;

/** A value that could not be expanded. */
export class MacroError extends Error {}

function valueOf({ options, settings, warn }: MainView, name: string): string | undefined {
  const raw = options.showsDefaults
    ? settings.defaultValue(name)
    : options.onlySet && !settings.isSet(name) && name !== 'config_directory'
      ? undefined
      : settings.raw(name);
  if (raw === undefined || !options.expands) return raw;
  const expansion = expandValue(raw, (other) => settings.raw(other));
  if (expansion.kind === 'ok') return expansion.text;
  warn(expansion.reason);
  throw new MacroError('macro processing error');
}

function isListed({ options, settings, names, classes, namesDirectory }: MainView, name: string): boolean {
  const kind = names.classOf(name);
  if (kind === undefined || !classes.has(kind)) return false;
  if (options.showsDefaults) return kind !== 'user';
  if (!options.onlySet) return true;
  return settings.isSet(name) || (name === 'config_directory' && namesDirectory);
}

/** Writes all lines, or those of the operands. Throws MacroError. */
export function showMain(view: MainView): void {
  const { options, names, registered, warn, write } = view;
  const all = options.operands.length === 0;
  const wanted = all
    ? [...new Set([...registered, ...names.userNames])].toSorted().filter((name) => isListed(view, name))
    : options.operands;
  let out = '';
  for (const name of wanted) {
    const kind = names.classOf(name);
    // what is named is shown whatever its class
    const isKnown = kind !== undefined;
    if (!isKnown) warn(`${name}: unknown parameter`);
    const value = isKnown ? valueOf(view, name) : undefined;
    if (value !== undefined) out += formatPair(name, value, options);
    if (out.length < writeBytes) continue;
    write(out);
    out = '';
  }
  write(out);
}
