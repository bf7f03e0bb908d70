/** Which parameters the source reads, found by looking at it. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ParameterRegistry } from '#config';

const source = resolve(dirname(fileURLToPath(import.meta.url)), '../../../src');

function filesBelow(folder: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'parameters' ? [] : filesBelow(path);
    return path.endsWith('.ts') ? [path] : [];
  });
}

function quoted(files: readonly string[]): ReadonlySet<string> {
  const texts = files.flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/['"`]([A-Za-z0-9_]{3,})['"`]/g)]);
  return new Set(texts.map((match) => match[1] ?? ''));
}

/** Names that stand in the source, whole or behind the prefix or suffix that a service puts there. */
export function usedNames(): ReadonlySet<string> {
  const files = filesBelow(source);
  const all = quoted(files);
  const inside = (folder: string): ReadonlySet<string> => quoted(files.filter((file) => file.includes(folder)));
  const client = inside('delivery/smtp').union(inside('src/tls/parameters'));
  // `${prefix}NAME`: the address_verify_ set
  const routing = new Set(
    files
      .filter((file) => file.includes('src/rewrite'))
      .flatMap((file) => [...readFileSync(file, 'utf8').matchAll(/\$\{\w+\}([a-z_]+)/g)])
      .map((match) => match[1] ?? ''),
  );
  const scheduling = [...inside('src/qmgr')].filter((text) => text.startsWith('_'));
  const registry = new ParameterRegistry();
  const read = new Set(
    registry.names().filter((name) => {
      const [, bare = ''] = /^(?:smtp|lmtp)_(.*)$/.exec(name) ?? [];
      const [, route = name] = /^address_verify_(.*)$/.exec(name) ?? [];
      return all.has(name) || client.has(bare) || routing.has(route) || scheduling.some((end) => name.endsWith(end));
    }),
  );
  // what the default of a read name refers to is read, too: old names, and names that stand for several
  // but not what only approves of tables that others name
  const approvals = new Set(['proxy_read_maps', 'proxy_write_maps']);
  const defaults = [...read.difference(approvals)].map((name) => registry.get(name)?.defaultValue ?? '');
  const behind = defaults.flatMap((text) =>
    [...text.matchAll(/\$[{(]?([A-Za-z0-9_]+)/g)].map((match) => match[1] ?? ''),
  );
  return read.union(new Set(behind.filter((name) => registry.get(name) !== undefined)));
}
