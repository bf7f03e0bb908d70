/** Names that values refer to by `$`, and those of them that stand for nothing: most are misspelt. postconf(5) */
import type { MainEntry, MainFile } from './main-cf.ts';
import { nearestName } from './nearest-name.ts';
import { placeOf } from './place.ts';
import type { ParameterRegistry } from './registry.ts';
import type { ServiceEntry } from './settings.ts';

/** Names that `$` forms of a value refer to; '' where a form names nothing. Comparisons, `${{…} == {…}?…}`, name none of their own. */
export function referredNames(value: string): readonly string[] {
  const forms = value.replaceAll('$$', '').matchAll(/\$(?:([{(])(?!\s*\{)\s*(\w*)|(\w+))/g);
  return [...forms].flatMap(([, bracket, named = '', bare]) =>
    bracket === '{' && named === 'domain_to_ascii' ? [] : [bare ?? named],
  );
}

/** Where a name stands in a value of several lines. */
function lineOf({ line, pieces }: MainEntry, name: string): number {
  return pieces.find(({ text }) => referredNames(text).includes(name))?.line ?? line;
}

/** One line for each name that nothing defines, with the nearest known one. It stands for nothing in a value. */
export function undefinedNames(
  main: MainFile,
  registry: ParameterRegistry,
  services: readonly ServiceEntry[],
): readonly string[] {
  const own = new Set([...main.byName.keys(), ...services.flatMap(({ overrides }) => [...overrides.keys()])]);
  const known = [...registry.names(), ...own];
  const told = (file: string, setting: string, value: string, lineFor: (name: string) => number): readonly string[] => {
    // what stands in for a recipient or a client is known when there is one
    if (registry.get(setting)?.kind === 'raw') return [];
    const names = referredNames(value).filter((name) => registry.get(name) === undefined && !own.has(name));
    return [...new Set(names)].map((name) => {
      const near = nearestName(name, known);
      const hint = near === undefined ? '' : ` (did you mean "${near}"?)`;
      return `${placeOf({ file, line: lineFor(name) })}${setting}: undefined parameter: ${name}${hint}`;
    });
  };
  return [
    ...[...main.byName.values()].flatMap((entry) =>
      told(main.path, entry.name, entry.value, (name) => lineOf(entry, name)),
    ),
    ...services.flatMap(({ overrides, overrideLines, origin }) =>
      [...overrides].flatMap(([name, value]) =>
        told(origin.file, name, value, () => overrideLines?.get(name) ?? origin.line),
      ),
    ),
  ];
}
