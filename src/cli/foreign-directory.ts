/**
 * Whose configuration a command that acts for the mail system may be given. Postfix's such commands are set-group-ID, and
 * trust only directories that the system's own main.cf names. postconf(5) alternate_config_directories
 */
import { statSync } from 'node:fs';
import { defaultConfigDirectory, openSettings } from '#config';

/** What is said of a directory that this user may not name; undefined when he may. */
export function refusedDirectory(directory: string, uid: number): readonly [error: string, fatal: string] | undefined {
  // a directory of one's own tells nobody more than they could read anyway: the quick start has one
  if (uid === 0 || directory === defaultConfigDirectory || isOwn(directory, uid) || isListed(directory))
    return undefined;
  const way = (parameter: string): string => `"${parameter} = ${directory}"`;
  return [
    `unauthorized configuration directory name: ${directory}`,
    `specify ${way('alternate_config_directories')} or ${way('multi_instance_directories')} in ${defaultConfigDirectory}/main.cf`,
  ];
}

function isOwn(directory: string, uid: number): boolean {
  return statSync(directory, { throwIfNoEntry: false })?.uid === uid;
}

function isListed(directory: string): boolean {
  try {
    const { settings } = openSettings(defaultConfigDirectory);
    return ['alternate_config_directories', 'multi_instance_directories'].some((name) =>
      settings.list(name).includes(directory),
    );
  } catch {
    return false; // no system of that name is installed
  }
}
