/** Changes to the text of main.cf that leave its comments and order alone. postconf(1) -e, -X, -# */

export type MainChange =
  | { readonly kind: 'set'; readonly name: string; readonly value: string }
  /** Removed with all its lines, or kept as a comment. */
  | { readonly kind: 'drop' | 'comment'; readonly name: string };

/** The name an unindented line assigns to. */
function nameOf(line: string): string {
  return /^[^ \t-\r=]*/.exec(line)?.[0] ?? '';
}

function changed(change: MainChange, line: string, isFirst: boolean): readonly string[] {
  if (change.kind === 'comment') return [`#${line}`];
  return change.kind === 'set' && isFirst ? [`${change.name} = ${change.value}`] : [];
}

/**
 * Every assignment of a name is changed where it stands; a name that has none is appended. Comments inside a value stay.
 * `onRepeated` hears of names that stand there more than once.
 */
export function editMainText(
  text: string,
  changes: readonly MainChange[],
  onRepeated: (name: string) => void = () => undefined,
): string {
  const byName = new Map(changes.map((change) => [change.name, change]));
  const seen = new Map<string, number>();
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  let current: MainChange | undefined;
  const out = lines.flatMap((line) => {
    if (/^[ \t-\r]*(?:#|$)/.test(line)) return [line];
    const isFirst = !/^[ \t-\r]/.test(line);
    if (isFirst) {
      current = byName.get(nameOf(line));
      if (current !== undefined) {
        const count = (seen.get(current.name) ?? 0) + 1;
        seen.set(current.name, count);
        if (count === 2) onRepeated(current.name);
      }
    }
    return current === undefined ? [line] : changed(current, line, isFirst);
  });
  const appended = changes.flatMap((change) =>
    change.kind === 'set' && !seen.has(change.name) ? [`${change.name} = ${change.value}`] : [],
  );
  return [...out, ...appended, ''].join('\n');
}
