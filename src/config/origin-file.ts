/** `myorigin = /etc/mailname`, as Debian's Postfix has it: a path stands for the name on the first line of that file. */
import { readFileSync } from 'node:fs';
import { errnoText } from '#native';

export type OriginFile =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'failed'; readonly reason: string };

export function readOriginFile(path: string): OriginFile {
  try {
    const [line = ''] = readFileSync(path, 'utf8').split('\n', 1);
    const name = line.trim();
    if (/\s/.test(name)) return { kind: 'failed', reason: `its first line must not contain multiple values: ${name}` };
    return name === ''
      ? { kind: 'failed', reason: 'its first line is empty; write the domain there' }
      : { kind: 'name', name };
  } catch (error) {
    return { kind: 'failed', reason: `cannot open file: ${errnoText(error)}` };
  }
}
