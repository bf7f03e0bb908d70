/** What `postmulti -e` does to instances. postmulti(1) */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { editMainText, type MainChange } from '#config';
import { installation } from '../installation.ts';
import { editFile } from '../edit-file.ts';
import { makeQueueDirectories } from '../queue-directories.ts';
import { type Instance, MultiError, readInstance } from './instances.ts';
import type { MultiOptions } from './options.ts';

export type Instances = readonly [Instance, ...Instance[]];

/** The configuration that comes with this program, where an installation has no prototypes of its own. */
const ownConfiguration = join(installation, 'conf');

/** What only a script of Postfix's says, under the name of that script. */
export class ScriptError extends Error {}

function setMain(directory: string, values: Readonly<Record<string, string | undefined>>): void {
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

interface Places {
  readonly config_directory: string;
  readonly queue_directory: string;
  readonly data_directory: string;
}
type PlaceName = keyof Places;
const placeNames: readonly PlaceName[] = ['config_directory', 'queue_directory', 'data_directory'];

export const placesOf = ({ directory, settings }: Instance): Places => ({
  config_directory: directory,
  queue_directory: settings.string('queue_directory'),
  data_directory: settings.string('data_directory'),
});

/** As given, or beside those of the primary instance under the new name. */
function newPlaces({ newName = '', operands }: MultiOptions, primary: Instance): Places {
  const given = new Map(operands.map((text) => [text.split('=', 1)[0]?.trim(), text.replace(/^[^=]*=\s*/, '').trim()]));
  const beside = placesOf(primary);
  const place = (name: PlaceName): string => given.get(name) ?? (newName && join(dirname(beside[name]), newName));
  if (place('config_directory') === '') throw new MultiError('Missing config_directory parameter value');
  return {
    config_directory: place('config_directory'),
    queue_directory: place('queue_directory'),
    data_directory: place('data_directory'),
  };
}

/** No two instances share a directory, and no directory serves for two things. */
function requireFree(places: Places, instances: Instances): void {
  for (const other of instances) {
    const taken = placesOf(other);
    for (const name of placeNames)
      for (const theirs of placeNames)
        if (places[name] === taken[theirs])
          throw new MultiError(
            `new ${name}=${places[name]} is already in use by instance ${other.name || other.directory}, ${theirs}=${taken[theirs]}`,
          );
  }
  const { config_directory: where, queue_directory: queue, data_directory: data } = places;
  if (queue === data)
    throw new MultiError(
      `instance ${where}, data_directory=${data} conflicts with instance ${where}, queue_directory=${queue}`,
    );
}

/** The file that a new instance begins with: the installation's prototype, or ours. */
function prototype(name: string, primary: Instance): string {
  const own = `${primary.settings.string('meta_directory')}/${name}.proto`;
  return existsSync(own) ? own : join(ownConfiguration, name);
}

export function create(options: MultiOptions, instances: Instances): void {
  const [primary] = instances;
  const places = newPlaces(options, primary);
  requireFree(places, instances);
  requireEnabled(instances);
  const { config_directory: directory } = places;
  if (existsSync(`${directory}/main.cf`)) throw new ScriptError(`The directory ${directory} has a main.cf already`);
  mkdirSync(directory, { recursive: true, mode: 0o755 });
  for (const name of ['main.cf', 'master.cf']) copyFileSync(prototype(name, primary), `${directory}/${name}`);
  setMain(directory, {
    queue_directory: places.queue_directory,
    data_directory: places.data_directory,
    // nobody reaches it, and nobody submits mail to it, before its owner says so
    master_service_disable: 'inet',
    authorized_submit_users: '',
    multi_instance_group: options.newGroup,
    multi_instance_name: options.newName,
  });
  makeQueueDirectories(readInstance(directory, false).settings);
  setDirectories(primary, [...othersOf(instances), directory]);
}

export function take(options: MultiOptions, instances: Instances): void {
  const [primary] = instances;
  const { config_directory: directory } = newPlaces(options, primary);
  requireFree(placesOf(readInstance(directory, false)), instances);
  requireEnabled(instances);
  setMain(directory, { multi_instance_name: options.newName, multi_instance_group: options.newGroup });
  setDirectories(primary, [...othersOf(instances), directory]);
}

export function enable(instance: Instance, instances: Instances, isEnabled: boolean): void {
  requireEnabled(instances);
  setMain(instance.directory, { multi_instance_enable: isEnabled ? 'yes' : 'no' });
}

export function assign(instance: Instance, instances: Instances, { newName, newGroup }: MultiOptions): void {
  const other = instances.find(
    ({ name, directory }) => name !== '' && name === newName && directory !== instance.directory,
  );
  if (other !== undefined)
    throw new MultiError(`new instance name=${newName ?? ''} is already in use by ${other.directory}`);
  requireEnabled(instances);
  setMain(instance.directory, { multi_instance_name: newName, multi_instance_group: newGroup });
}
