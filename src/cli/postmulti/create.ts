/** `postmulti -e create` and `-e import`: one more instance, new or there already. postmulti(1) */
import { copyFileSync, existsSync, mkdtempSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ConfigError } from '#config';
import { errnoOf } from '#native';
import { installation } from '../installation.ts';
import { installationParameters } from '../installation-parameters.ts';
import { unfitness } from '../make-directory.ts';
import { makeQueueDirectories } from '../queue-directories.ts';
import {
  type Instances,
  othersOf,
  type PlaceName,
  placeNames,
  type Places,
  placesOf,
  requireEnabled,
  requireFreeName,
  ScriptError,
  setDirectories,
  setMain,
} from './edit.ts';
import { type Instance, MultiError, readInstance } from './instances.ts';
import { type MultiOptions, placeGiven } from './options.ts';

/** The configuration that comes with this program, where an installation has no prototypes of its own. */
const ownConfiguration = join(installation, 'conf');
const fileNames = ['main.cf', 'master.cf'] as const;

/** As given, or beside that of the primary instance under the new name. */
function newPlace(name: PlaceName, { newName = '', operands }: MultiOptions, primary: Instance): string {
  const given = operands.map(placeGiven).findLast((setting) => setting?.[0] === name)?.[1];
  if (given !== undefined) return given;
  if (newName === '') throw new MultiError(`Missing ${name} parameter value`);
  return join(dirname(placesOf(primary)[name]), newName);
}

/** No two instances share a directory or a name, and no directory serves for two things. */
function requireFree(places: Places, name: string, instances: Instances): void {
  const { config_directory: where, queue_directory: queue, data_directory: data } = places;
  for (const other of instances) {
    const taken = placesOf(other);
    for (const ours of placeNames)
      for (const theirs of placeNames) {
        if (places[ours] !== taken[theirs]) continue;
        const owner = `instance ${other.directory}, ${theirs}=${taken[theirs]}`;
        throw new MultiError(
          ours === 'config_directory'
            ? `new config_directory=${where} is already in use by ${owner}`
            : `instance ${where}, ${ours}=${places[ours]} conflicts with ${owner}`,
        );
      }
  }
  if (queue === data)
    throw new MultiError(
      `instance ${where}, data_directory=${data} conflicts with instance ${where}, queue_directory=${queue}`,
    );
  requireFreeName(where, name, instances);
}

/** The file that a new instance begins with: the installation's prototype, or ours. */
function prototype(name: string, primary: Instance): string {
  const own = `${primary.settings.string('meta_directory')}/${name}.proto`;
  return existsSync(own) ? own : join(ownConfiguration, name);
}

/** Makes all of it, or leaves empty directories at the most: what failed is not in the way of another try. */
export function create(options: MultiOptions, instances: Instances): void {
  const place = (name: PlaceName): string => newPlace(name, options, instances[0]);
  const places = {
    config_directory: place('config_directory'),
    queue_directory: place('queue_directory'),
    data_directory: place('data_directory'),
  };
  requireFree(places, options.newName ?? '', instances);
  requireEnabled(instances);
  const { config_directory: directory } = places;
  for (const name of fileNames)
    if (existsSync(`${directory}/${name}`)) throw new ScriptError(`The directory ${directory} has a ${name} already`);
  const made = placeNames.map((name) => places[name]).filter((path) => !existsSync(path));
  try {
    for (const name of placeNames) {
      const why = unfitness(places[name]);
      if (why !== undefined) throw new ScriptError(`${name}=${places[name]}: ${why}`);
    }
    build(places, options, instances);
  } catch (error) {
    for (const path of made) removeEmpty(path);
    throw error;
  }
}

function build(places: Places, { newName, newGroup }: MultiOptions, instances: Instances): void {
  const [primary] = instances;
  const { config_directory: directory } = places;
  const temporary = mkdtempSync(`${directory}/.new-`);
  try {
    for (const name of fileNames) copyFileSync(prototype(name, primary), `${temporary}/${name}`);
    setMain(temporary, {
      ...sharedWith(primary),
      queue_directory: places.queue_directory,
      data_directory: places.data_directory,
      // nobody reaches it, and nobody submits mail to it, before its owner says so
      master_service_disable: 'inet',
      authorized_submit_users: '',
      multi_instance_group: newGroup,
      multi_instance_name: newName,
    });
    makeQueueDirectories(readInstance(temporary, false).settings);
    for (const name of fileNames) renameSync(`${temporary}/${name}`, `${directory}/${name}`);
    setDirectories(primary, [...othersOf(instances), directory], { directory, isAlternate: false });
  } catch (error) {
    for (const name of fileNames) rmSync(`${directory}/${name}`, { force: true });
    throw failure(error, temporary, directory);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** What the installation has once for all its instances. */
const sharedParameters = [...installationParameters, 'sample_directory'];

/** As the primary instance has them, or by default as there, whatever a prototype says. */
function sharedWith({ settings }: Instance): Readonly<Record<string, string | null>> {
  const value = (name: string): string | null => (settings.isSet(name) && settings.string(name)) || null;
  return Object.fromEntries(sharedParameters.map((name) => [name, value(name)]));
}

/** What a person is told: the temporary place is none of theirs. */
function failure(error: unknown, temporary: string, directory: string): unknown {
  const problems = error instanceof ConfigError ? error.problems : [error instanceof Error ? error.message : ''];
  const isTold = error instanceof ConfigError || errnoOf(error) !== '';
  return isTold ? new ScriptError(problems.join('; ').replaceAll(temporary, directory), { cause: error }) : error;
}

/** A directory that others keep something in stays. */
function removeEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch {
    // not empty, or not there
  }
}

export function take(options: MultiOptions, instances: Instances): void {
  const [primary] = instances;
  const directory = newPlace('config_directory', options, primary);
  const instance = readInstance(directory, false);
  requireFree(placesOf(instance), options.newName ?? instance.name, instances);
  requireEnabled(instances);
  setMain(directory, { multi_instance_name: options.newName, multi_instance_group: options.newGroup });
  setDirectories(primary, [...othersOf(instances), directory], { directory, isAlternate: false });
}
