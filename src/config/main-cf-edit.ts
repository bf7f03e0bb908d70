/** Changes to the text of main.cf that leave its comments and order alone. postconf(1) -e, -X, -# */

export type MainChange =
  | { readonly kind: 'set'; readonly name: string; readonly value: string }
  /** Removed with all its lines, or kept as a comment. */
  | { readonly kind: 'drop' | 'comment'; readonly name: string };

/** The name an unindented line assigns to; '' for none. */
function nameOf(line: string): string {
  return /^([^\s#=][^=]*?)\s*=/.exec(line)?.[1] ?? '';
}

function changed(change: MainChange, line: string, isFirst: boolean): readonly string[] {
  if (change.kind === 'comment') return [`#${line}`];
  return change.kind === 'set' && isFirst ? [`${change.name} = ${change.value}`] : [];
}

/** Every assignment of a name is changed where it stands; a name that has none is appended. Comments inside a value stay. */
export function editMainText(text: string, changes: readonly MainChange[]): string {
  const byName = new Map(changes.map((change) => [change.name, change]));
  const missing = new Set(changes.filter(({ kind }) => kind === 'set').map(({ name }) => name));
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  let current: MainChange | undefined;
  const out = lines.flatMap((line) => {
    if (/^\s*(?:#|$)/.test(line)) return [line];
    const isFirst = !/^\s/.test(line);
    if (isFirst) {
      current = byName.get(nameOf(line));
      missing.delete(nameOf(line));
    }
    return current === undefined ? [line] : changed(current, line, isFirst);
  });
  const appended = changes.flatMap((change) =>
    change.kind === 'set' && missing.has(change.name) ? [`${change.name} = ${change.value}`] : [],
  );
  return [...out, ...appended, ''].join('\n');
}
