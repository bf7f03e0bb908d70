/** Arguments of services that run commands: `user=… argv=command …`. pipe(8), spawn(8) */

import { unbraced } from './words.ts';

/** `name=value` words up to argv=, which takes all that follow. */
export function splitServiceArguments(args: readonly string[]): {
  readonly attributes: ReadonlyMap<string, string>;
  readonly argv: readonly string[];
} {
  const at = args.findIndex((word) => word.startsWith('argv='));
  const before = at < 0 ? args : args.slice(0, at);
  const attributes = new Map(
    before.map((word) => {
      const text = unbraced(word);
      const equals = text.indexOf('=');
      return equals < 0 ? [text, ''] : [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
    }),
  );
  const argv = at < 0 ? [] : [(args[at] ?? '').slice('argv='.length), ...args.slice(at + 1)];
  return { attributes, argv: argv.map(unbraced).filter((word) => word !== '') };
}

/** What is wrong with attributes of a service that knows only `known` ones; undefined when nothing is. */
export function unknownAttribute(
  attributes: ReadonlyMap<string, string>,
  known: readonly string[],
): string | undefined {
  const stranger = [...attributes.keys()].find((name) => !known.includes(name));
  if (stranger === undefined) return undefined;
  // where the first attribute stands, options end
  if (stranger.startsWith('-')) return `unexpected option "${stranger}"; options have to stand before the attributes`;
  return `unknown attribute "${stranger}"; the attributes are ${known.map((name) => `${name}=`).join(', ')} and argv=`;
}
