/** What comments point to, and whether it is there: files, headings of documents, parameters. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** What can be cited. */
export interface Sources {
  /** Paths below the root of the repository. */
  readonly files: ReadonlySet<string>;
  /** Headings of each document, which `**heading**` within a text is, too. */
  readonly headings: ReadonlyMap<string, ReadonlySet<string>>;
  readonly parameters: ReadonlySet<string>;
}

const commentPattern = /\/\*[^]*?\*\/|(?<=^|\s)\/\/[^\n]*/g;

/** Names of restrictions are none of parameters. */
const parameterPattern = /postconf\(5\) (?!(?:check|permit|reject)_)([a-z0-9]+(?:_[a-z0-9]+)+)\b(?!\*)/g;

/** Comments in one line each: where a line ends tells nothing. */
export function commentsOf(text: string): readonly string[] {
  return [...text.matchAll(commentPattern)].map(([comment]) =>
    comment.replaceAll(/\s*\n\s*(?:\*(?!\/)|\/\/)?\s*/g, ' '),
  );
}

/** All that is below these folders, and the files beside them. */
export function readSources(root: string, folders: readonly string[], parameters: ReadonlySet<string>): Sources {
  const here = readdirSync(root, { withFileTypes: true }).flatMap((one) => (one.isFile() ? [one.name] : []));
  const below = folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path)),
  );
  const files = new Set([...here, ...below]);
  const headings = [...files].flatMap((path) => {
    if (!path.endsWith('.md')) return [];
    const found = readFileSync(join(root, path), 'utf8').matchAll(/^#+ (.*)$|\*\*(.*?)\.?\*\*/gm);
    return [[path, new Set([...found].map(([, heading, strong = '']) => heading ?? strong))] as const];
  });
  return { files, headings: new Map(headings), parameters };
}

function isFile(name: string, from: string, { files }: Sources): boolean {
  const places = [name, join('src', name), join(dirname(from), name)];
  if (places.some((place) => files.has(place))) return true;
  // in whatever folder the subject is
  return [...files].some((path) => (name.includes('/') ? path.endsWith(`/${name}`) : basename(path) === name));
}

/** What a comment cites that is nowhere. */
function lostIn(comment: string, from: string, sources: Sources): readonly string[] {
  const lost: string[] = [];
  for (const [name] of comment.matchAll(/[\w./-]*\w\.(?:ts|md|case|mjs|js|sh|tsv)\b/g))
    if (!isFile(name, from, sources)) lost.push(name);
  for (const [citation, document = '', heading = ''] of comment.matchAll(/([\w/-]+\.md),? "([^"]*)"/g))
    if (sources.headings.get(document)?.has(heading) !== true) lost.push(citation);
  for (const [citation, parameter = ''] of comment.matchAll(parameterPattern))
    if (!sources.parameters.has(parameter)) lost.push(citation);
  // notes that this was built from
  for (const [citation] of comment.matchAll(
    /\binventory\b[^;)]*|hard things|\barchitecture(?:\.md)?, section\b[^;)]*/gi,
  ))
    lost.push(citation);
  return lost;
}

/** One line for each citation of a source that leads nowhere. */
export function lostCitations(path: string, text: string, sources: Sources): readonly string[] {
  return commentsOf(text).flatMap((comment) => lostIn(comment, path, sources).map((what) => `${path}: ${what}`));
}
