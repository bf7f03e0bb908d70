/**
 * `:include:` files of root's aliases. Postfix opens them as root; here the process that is root does so, and is believed
 * whose they are, where it finds the file named in an alias file of root's, or in a file that is included there.
 * aliases(5); local(8), "DELIVERY RIGHTS"
 */
import { readFileSync, statSync } from 'node:fs';

/** The files that a text includes. */
function* includesIn(text: string): Iterable<string> {
  for (const [, quoted = '', plain = ''] of text.matchAll(/":include:\s*([^"\n]+)"|:include:\s*([^\s",{}]+)/gi))
    yield quoted.trim() || plain;
}

/** The text of a file that nobody but root can have written; '' for any other. */
function textOfRoots(path: string): string {
  try {
    const facts = statSync(path);
    return facts.uid === 0 && facts.isFile() && (facts.mode & 0o002) === 0 ? readFileSync(path, 'utf8') : '';
  } catch {
    // who asks meets the same trouble when it reads the file, and tells of it
    return '';
  }
}

/** Whether root's aliases include the file. `textOf`: what root wrote in a file, '' where that is nothing. */
export function isIncluded(
  path: string,
  aliasFiles: readonly string[],
  textOf: (path: string) => string = textOfRoots,
): boolean {
  if (!path.startsWith('/')) return false;
  const seen = new Set<string>();
  // each file once: they may include each other
  for (let files: readonly string[] = aliasFiles; files.length > 0;) {
    const included = new Set(files.flatMap((file) => [...includesIn(textOf(file))]));
    if (included.has(path)) return true;
    files = [...included].filter((file) => file.startsWith('/') && !seen.has(file));
    for (const file of files) seen.add(file);
  }
  return false;
}
