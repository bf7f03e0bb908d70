/** How a message names what it speaks of, so that whoever reads it finds it. */
import { ConfigError, type Origin, type ServiceEntry, type Settings } from './settings.ts';

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

/** What refuses the start for the value of one parameter: its place, the value as it is, and what is expected. */
export function badSetting(settings: Settings, name: string, problem: string): ConfigError {
  return new ConfigError([`${placeOf(settings.origin(name))}${name} = ${settings.string(name)}: ${problem}`]);
}
