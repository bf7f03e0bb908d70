/** How a name and its value are shown: `name = value`, one of the two, or JSON. postconf(1) -h, -H, -j, -f */
import { formatLine, squeeze } from './fold.ts';
import type { PostconfOptions } from './options.ts';

type Shape = Pick<PostconfOptions, 'hidesNames' | 'hidesValues' | 'asJson' | 'folds'>;

/** One line with its end. */
export function formatPair(name: string, value: string, shape: Shape): string {
  if (shape.asJson) return `${JSON.stringify({ [name]: squeeze(value) }).replace('":"', '": "')}\n`;
  if (shape.hidesValues) return `${name}\n`;
  const text = shape.hidesNames ? value : `${name} = ${value}`;
  const line = formatLine(text, shape.folds);
  return `${line}\n`;
}
