/** Places as an operator reads them: `main.cf:12`, and the whole path for files elsewhere. */
import type { Origin } from '#config';

export type PlaceOf = (origin: Origin | null | undefined) => string;

export function placesBelow(directory: string): PlaceOf {
  const prefix = `${directory.replace(/\/+$/, '')}/`;
  return (origin) => {
    if (origin === null || origin === undefined) return '';
    const { file, line } = origin;
    return `${file.startsWith(prefix) ? file.slice(prefix.length) : file}:${line}`;
  };
}
