/** Who else could change the configuration: what `postfix check` warns of. postfix(1) */
import { lstatSync, readdirSync } from 'node:fs';

interface Place {
  /** From the directory that is looked at. */
  readonly path: string;
  readonly uid: number;
  readonly mode: number;
}

const othersMayWrite = 0o022;

/** Files and directories below, without what symbolic links lead to. What can't be read is no business of a check. */
function* placesIn(directory: string, path: string): Generator<Place> {
  const status = lstatSync(`${directory}/${path}`, { throwIfNoEntry: false });
  if (status === undefined || status.isSymbolicLink()) return;
  yield { path, uid: status.uid, mode: status.mode };
  if (!status.isDirectory()) return;
  let names: readonly string[];
  try {
    names = readdirSync(`${directory}/${path}`).toSorted();
  } catch {
    return;
  }
  for (const name of names) yield* placesIn(directory, `${path}/${name}`);
}

/** Warnings about a directory that is root's alone. */
export function ownershipWarnings(directory: string): readonly string[] {
  const places = [...placesIn(directory, '.')];
  const shown = ({ path }: Place): string => `${directory}/${path}`;
  return [
    ...places.filter(({ uid }) => uid !== 0).map((place) => `not owned by root: ${shown(place)}`),
    ...places
      .filter(({ mode }) => (mode & othersMayWrite) !== 0)
      .map((place) => `group or other writable: ${shown(place)}`),
  ];
}
