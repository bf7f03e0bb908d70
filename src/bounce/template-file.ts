/** bounce_template_file: `name = <<END`, lines, `END`; outside of that blank lines and comments. bounce(5) */
import { readFileSync } from 'node:fs';
import { errnoText } from '#native';

export interface TemplateFile {
  readonly path: string;
  /** By template name, such as `failure_template`: header and text, lines joined by line feeds. */
  readonly texts: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

export const noTemplateFile: TemplateFile = { path: '', texts: new Map(), warnings: [] };

/** What the file holds, with `warnings` of the rest; or why it can't be opened. `known`: the template names there are. */
export function readTemplateFile(path: string, known: readonly string[]): TemplateFile | string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return `open ${path}: ${errnoText(error)}`;
  }
  return parseTemplates(path, text.replace(/\n$/, '').split('\n'), known);
}

function parseTemplates(path: string, lines: readonly string[], known: readonly string[]): TemplateFile {
  const texts = new Map<string, string>();
  const warnings: string[] = [];
  // Postfix counts from two
  const warn = (index: number, text: string): void => void warnings.push(`${path}, line ${index + 2}: ${text}`);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at] ?? '';
    if (/^\s*(#|$)/.test(line)) continue;
    const [, name = '', given = ''] = /^\s*([^\s=]+)\s*=\s*([^]*?)\s*$/.exec(line) ?? [];
    if (name === '') {
      warn(at, `missing '=' after attribute name: "${line}"`);
      return { path, texts, warnings };
    }
    let value = given;
    if (given.startsWith('<<')) {
      const end = given.slice(2).trimStart();
      if (!/^[A-Za-z0-9]/.test(end)) {
        warn(at, `${end === '' ? 'missing' : 'malformed'} end marker after <<`);
        return { path, texts, warnings };
      }
      const stop = lines.indexOf(end, at + 1);
      if (stop < 0) warn(lines.length - 1, `missing "${end}" end marker`);
      const last = stop < 0 ? lines.length : stop;
      value = lines.slice(at + 1, last).join('\n');
      at = last;
    }
    if (known.includes(name)) texts.set(name, value);
    else warn(Math.min(at, lines.length - 1), `unknown template name: ${name} -- ignoring this template`);
  }
  return { path, texts, warnings };
}
