/** Output lines: white space squeezed, and with -f folded. postconf(1) -f */
import { trimSpace } from '#config';

/** Longest line that stays whole. */
const lineLimit = 80;
const indent = '    ';

/** The words on one line, a space between them. */
export function squeeze(text: string): string {
  return trimSpace(text)
    .split(/[ \t\r\n\f\v]+/)
    .join(' ');
}

/** Lines of groups, each kept whole; those that `ownLine` names begin a line. */
export function foldGroups(groups: readonly string[], ownLine: (group: string) => boolean = () => false): string {
  const lines: string[] = [];
  let wasOwn = false;
  for (const group of groups) {
    const last = lines.at(-1);
    const fits = last !== undefined && last.length + 1 + group.length <= lineLimit;
    if (last === undefined) lines.push(group);
    else if (fits && !ownLine(group) && !wasOwn) lines[lines.length - 1] = `${last} ${group}`;
    else lines.push(indent + group);
    wasOwn = ownLine(group);
  }
  return lines.join('\n');
}

/** A `name = value` line. Braces keep no words together here. */
export function formatLine(text: string, folds: boolean): string {
  const line = squeeze(text);
  return folds ? foldGroups(line.split(' ')) : line;
}
