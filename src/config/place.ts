/** How a message names what it speaks of, so that whoever reads it finds it. */
import type { Origin, ServiceEntry } from './settings.ts';

/** `FILE, line N: ` in front of a message; '' for what was not written anywhere. */
export function placeOf(origin: Origin | undefined): string {
  return origin === undefined ? '' : `${origin.file}, line ${origin.line}: `;
}

/** `FILE, line N: service NAME/KIND: `; the kind is the type, unless it is the program that matters. */
export function placeOfService(
  { origin, name, type }: Pick<ServiceEntry, 'origin' | 'name' | 'type'>,
  kind: string = type,
): string {
  return `${placeOf(origin)}service ${name}/${kind}: `;
}
