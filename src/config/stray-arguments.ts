/** Words of master.cf that their program has no use for, as the rest of a value whose braces were forgotten. master(5) */
import { placeOfService } from './place.ts';
import type { ServiceEntry } from './settings.ts';
import { isKnownProgram } from './unsupported.ts';

const isFlags = (word: string): boolean => /^\{?\s*flags=/i.test(word);

/** Every program refuses what it does not know but postscreen(8), which passes over it. */
function strayWord({ command, args }: ServiceEntry): string | undefined {
  if (!isKnownProgram(command) || command === 'pipe' || command === 'spawn') return undefined;
  const takesFlags = command === 'smtp' || command === 'lmtp';
  return args.find((word) => !takesFlags || !isFlags(word));
}

/** How the value was meant: the words up to the next option belong to the last parameter that is set. */
function hint({ overrides, args }: ServiceEntry, stray: string): string {
  // where the first other word stands, options end
  if (stray.startsWith('-')) return 'options have to stand before all other words';
  const [name, value] = [...overrides].at(-1) ?? [];
  const next = args.findIndex((word) => word.startsWith('-'));
  const words = next < 0 ? args : args.slice(0, next);
  const meant = name === undefined || words.length === 0 ? 'name = a, b' : `${name} = ${[value, ...words].join(' ')}`;
  return `remove it, or put a value with blanks in braces: -o { ${meant} }`;
}

function told(entry: ServiceEntry): readonly string[] {
  const word = strayWord(entry);
  if (word === undefined) return [];
  return [`${placeOfService(entry)}unexpected argument "${word}" of ${entry.command}; ${hint(entry, word)}`];
}

const passesOver = ({ command }: ServiceEntry): boolean => command === 'postscreen';

/** What refuses the configuration, one text a service. */
export function strayArguments(services: readonly ServiceEntry[]): readonly string[] {
  return services.filter((entry) => !passesOver(entry)).flatMap(told);
}

/** What has no effect, in Postfix too. */
export function unusedArguments(services: readonly ServiceEntry[]): readonly string[] {
  return services.filter(passesOver).flatMap(told);
}
