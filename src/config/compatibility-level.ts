/** compatibility_level: `major[.minor[.patch]]`. COMPATIBILITY_README */

function parseLevel(text: string): readonly number[] | undefined {
  const match = /^(\d+)(?:\.(\d+)(?:\.(\d+))?)?$/.exec(text.trim());
  return match === null ? undefined : [match[1], match[2], match[3]].map((part) => Number(part ?? 0));
}

/** Negative, zero or positive as `left` is below, at or above `right`; undefined when one is malformed. */
export function compareLevels(left: string, right: string): number | undefined {
  const a = parseLevel(left);
  const b = parseLevel(right);
  if (a === undefined || b === undefined) return undefined;
  for (let i = 0; i < 3; i += 1) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
