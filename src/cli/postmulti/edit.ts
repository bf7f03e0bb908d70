/** What `postmulti -e` does to instances. postmulti(1) */
import { editMainText, type MainChange } from '#config';
import { editFile } from '../edit-file.ts';
import { type Instance, MultiError } from './instances.ts';
import type { MultiOptions } from './options.ts';

export type Instances = readonly [Instance, ...Instance[]];

/** What only a script of Postfix's says, under the name of that script. */
export class ScriptError extends Error {}

/** Undefined: it stays as it is. Null: it becomes a comment. */
export function setMain(directory: string, values: Readonly<Record<string, string | null | undefined>>): void {
  const changes = Object.entries(values).flatMap(([name, value]): MainChange[] => {
    if (value === undefined) return [];
    return [value === null ? { kind: 'comment', name } : { kind: 'set', name, value }];
  });
  editFile(`${directory}/main.cf`, (text) => editMainText(text, changes));
}

/**
 * Writes down which instances there are now. One that is given up keeps its place in alternate_config_directories, where
 * users' commands go on to know it; one that is taken up or destroyed leaves it.
 */
export function setDirectories(
  { directory, settings }: Instance,
  directories: readonly string[],
  changed: { readonly directory: string; readonly isAlternate: boolean },
): void {
  const alternate = settings.list('alternate_config_directories');
  const others = alternate.filter((one) => one !== changed.directory);
  const isChange = changed.isAlternate !== alternate.includes(changed.directory);
  const now = changed.isAlternate ? [...others, changed.directory] : others;
  setMain(directory, {
    multi_instance_directories: directories.join(' '),
    alternate_config_directories: isChange ? now.join(' ') : undefined,
  });
}

export const othersOf = ([, ...others]: Instances): readonly string[] => others.map(({ directory }) => directory);

export function initialise([primary]: Instances): void {
  setMain(primary.directory, {
    multi_instance_wrapper: '${command_directory}/postmulti -p --',
    multi_instance_enable: 'yes',
  });
}

export function requireEnabled([primary]: Instances): void {
  if (!primary.settings.bool('multi_instance_enable'))
    throw new ScriptError("multi_instance_enable!=yes, run 'postmulti -e init' first.");
}

export interface Places {
  readonly config_directory: string;
  readonly queue_directory: string;
  readonly data_directory: string;
}
export type PlaceName = keyof Places;
export const placeNames: readonly PlaceName[] = ['config_directory', 'queue_directory', 'data_directory'];

export const placesOf = ({ directory, settings }: Instance): Places => ({
  config_directory: directory,
  queue_directory: settings.string('queue_directory'),
  data_directory: settings.string('data_directory'),
});

/** Throws MultiError where another instance has the name. */
export function requireFreeName(directory: string, name: string, instances: Instances): void {
  const other = instances.find((one) => name !== '' && one.name === name && one.directory !== directory);
  if (other !== undefined)
    throw new MultiError(
      `instance ${directory}, multi_instance_name=${name} conflicts with instance ${other.directory}, multi_instance_name=${name}`,
    );
}

export function enable(instance: Instance, instances: Instances, isEnabled: boolean): void {
  requireEnabled(instances);
  setMain(instance.directory, { multi_instance_enable: isEnabled ? 'yes' : 'no' });
}

export function assign(instance: Instance, instances: Instances, { newName, newGroup }: MultiOptions): void {
  requireFreeName(instance.directory, newName ?? '', instances);
  requireEnabled(instances);
  setMain(instance.directory, { multi_instance_name: newName, multi_instance_group: newGroup });
}
