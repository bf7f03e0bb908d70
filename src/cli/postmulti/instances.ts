/** The instances of one installation: the primary one, and those that its main.cf names. postmulti(1) */
import { ConfigError, openSettings, type Settings } from '#config';
import type { Selection } from './options.ts';

export interface Instance {
  /** '' for none, as the primary one usually has it. */
  readonly name: string;
  readonly group: string;
  readonly isEnabled: boolean;
  readonly isPrimary: boolean;
  readonly directory: string;
  readonly settings: Settings;
}

/** What an instance can't be read for, or which one is not there. */
export class MultiError extends Error {}

export function readInstance(directory: string, isPrimary: boolean): Instance {
  let settings: Settings;
  try {
    settings = openSettings(directory).settings;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new MultiError(`Failed to obtain all required ${directory}/main.cf parameters`, { cause: error });
  }
  return {
    name: settings.string('multi_instance_name'),
    group: settings.string('multi_instance_group'),
    // who has no other instances need not say so
    isEnabled:
      settings.bool('multi_instance_enable') || (isPrimary && settings.list('multi_instance_directories').length === 0),
    isPrimary,
    directory,
    settings,
  };
}

/** The primary instance first, the others as main.cf lists them. Throws MultiError. */
export function readInstances(directory: string): readonly [Instance, ...Instance[]] {
  const primary = readInstance(directory, true);
  const others = primary.settings.list('multi_instance_directories').map((path) => readInstance(path, false));
  return [primary, ...others];
}

/** None, where the selection names none that is there. */
export function matching(instances: readonly Instance[], selection: Selection | undefined): readonly Instance[] {
  if (selection === undefined || selection.kind === 'all') return instances;
  const wanted = selection.name;
  if (selection.kind === 'group') return instances.filter(({ group }) => group !== '' && group === wanted);
  const found = instances.find(({ name, isPrimary, directory }) => {
    const isCalled =
      wanted === '-' ? isPrimary && name === '' : name !== '' && (name === wanted || name === `postfix-${wanted}`);
    return isCalled || directory === wanted;
  });
  return found === undefined ? [] : [found];
}

/** The same where something is to be done with them. Throws MultiError where there is none. */
export function selected(instances: readonly Instance[], selection: Selection | undefined): readonly Instance[] {
  const found = matching(instances, selection);
  if (found.length > 0) return found;
  throw new MultiError(
    selection?.kind === 'instance' ? `No instance named ${selection.name}` : 'No matching instances',
  );
}

/** A line of -l: name, group, whether it is enabled, where its configuration is. */
export function listLine({ name, group, isEnabled, directory }: Instance): string {
  const shown = (text: string, width: number): string => (text || '-').padEnd(width);
  return `${shown(name, 15)} ${shown(group, 15)} ${(isEnabled ? 'y' : 'n').padEnd(9)} ${directory}\n`;
}

export function listJson({ name, group, isEnabled, directory }: Instance): string {
  const pairs = { name: name || '-', group: group || '-', enabled: isEnabled ? 'y' : 'n', config_directory: directory };
  const text = Object.entries(pairs).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `{${text.join(', ')}}\n`;
}
