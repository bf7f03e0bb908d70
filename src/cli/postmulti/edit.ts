/** What `postmulti -e` does to instances. postmulti(1) */
import { editMainText, type MainChange } from '#config';
import { editFile } from '../edit-file.ts';
import { type Instance, MultiError } from './instances.ts';
import type { MultiOptions } from './options.ts';

export type Instances = readonly [Instance, ...Instance[]];

/** What only a script of Postfix's says, under the name of that script. */
export class ScriptError extends Error {}

export function setMain(directory: string, values: Readonly<Record<string, string | undefined>>): void {
  const changes: MainChange[] = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [{ kind: 'set', name, value }],
  );
  editFile(`${directory}/main.cf`, (text) => editMainText(text, changes));
}

export function setDirectories(primary: Instance, directories: readonly string[]): void {
  setMain(primary.directory, { multi_instance_directories: directories.join(' ') });
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
