/** The directories of an installation: what `postfix check` makes and mends before a start. postfix(1) */
import { chmodSync, chownSync, statSync } from 'node:fs';
import { ConfigError, placeOf, type Settings } from '#config';
import { mailOwner } from '#roles';
import { makeDirectory, unfitness } from './make-directory.ts';

interface Directory {
  readonly path: string;
  readonly mode: number;
  readonly ofOwner: boolean;
}

/** What stands below $queue_directory and $data_directory. */
function directories(settings: Settings): readonly Directory[] {
  const queue = settings.string('queue_directory');
  return [
    { path: queue, mode: 0o755, ofOwner: true },
    { path: settings.string('data_directory'), mode: 0o700, ofOwner: true },
    { path: `${queue}/pid`, mode: 0o755, ofOwner: false },
    { path: `${queue}/public`, mode: 0o755, ofOwner: true },
    { path: `${queue}/private`, mode: 0o700, ofOwner: true },
    // anybody may leave a message, nobody may look at another's: no set-group-ID program is needed
    { path: `${queue}/maildrop`, mode: 0o1733, ofOwner: true },
  ];
}

/** Makes them. Throws a ConfigError for a place that can't hold them, before anything there is changed. */
export function makeQueueDirectories(settings: Settings): void {
  const owner = mailOwner(settings);
  const problems = ['queue_directory', 'data_directory'].flatMap((name) => {
    const path = settings.string(name);
    const why = unfitness(path);
    if (why === undefined) return [];
    return [`${placeOf(settings.origin(name))}${name} = ${path}: ${why}; name a directory of its own on a disk`];
  });
  if (problems.length > 0) throw new ConfigError(problems);
  for (const { path, mode, ofOwner } of directories(settings)) {
    makeDirectory(path);
    if ((statSync(path).mode & 0o7777) !== mode) chmodSync(path, mode);
    if (owner !== undefined && ofOwner) chownSync(path, owner.uid, owner.gid);
  }
}
