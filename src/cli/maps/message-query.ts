/**
 * `postmap -q - -b -h -m`: standard input is a message; its headers, body lines, or both are the keys. As in cleanup(8)
 * a header is one key with its line ends inside. What cleanup doesn't ask for, empty lines, are keys here.
 */
import { textOf } from '#message';
import { readAll } from './input.ts';
import { queryAndPrint, type QueryOptions } from './query.ts';

type Place = 'header' | 'body';

/** A multipart whose parts follow; `contentType` of parts without one. */
interface Multipart {
  readonly boundary: string;
  readonly isDigest: boolean;
}

interface PartType {
  readonly boundary: string | undefined;
  readonly isDigest: boolean;
  readonly isMessage: boolean;
}

const plainPart: PartType = { boundary: undefined, isDigest: false, isMessage: false };

function partType(contentType: string | undefined, insideDigest: boolean): PartType {
  if (contentType === undefined) return { ...plainPart, isMessage: insideDigest };
  const type = /^\s*([^\s;]+)/.exec(contentType)?.[1]?.toLowerCase() ?? '';
  const [, quoted, plain] = /;\s*boundary\s*=\s*(?:"((?:[^"\\]|\\[^])*)"|([^\s;]+))/i.exec(contentType) ?? [];
  const boundary = type.startsWith('multipart/') ? (quoted?.replaceAll(/\\([^])/g, '$1') ?? plain) : undefined;
  return { boundary, isDigest: type === 'multipart/digest', isMessage: /^message\/(?:rfc822|global)$/.test(type) };
}

/** The keys of a message, in order. With `readsMime` headers of parts and attached messages are headers too. */
function* messageKeys(
  lines: readonly string[],
  readsMime: boolean,
): Iterable<{ readonly place: Place; readonly key: string }> {
  const open: Multipart[] = [];
  let place: Place = 'header';
  let contentType: string | undefined;
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] ?? '';
    const level = readsMime ? open.findLastIndex(({ boundary }) => line.startsWith(`--${boundary}`)) : -1;
    if (level >= 0) {
      const isLast = line.slice(2 + (open[level]?.boundary.length ?? 0)).startsWith('--');
      open.length = isLast ? level : level + 1;
      place = isLast ? 'body' : 'header';
      contentType = undefined;
      yield { place: 'body', key: line };
      continue;
    }
    if (place === 'body') {
      yield { place, key: line };
      continue;
    }
    if (/^[^\s:]+[ \t]*:/.test(line)) {
      let key = line;
      for (; /^[ \t]/.test(lines[i + 1] ?? ''); i += 1) key += `\n${lines[i + 1] ?? ''}`;
      contentType = /^content-type[ \t]*:([^]*)$/i.exec(key)?.[1] ?? contentType;
      yield { place, key };
      continue;
    }
    const type = readsMime ? partType(contentType, open.at(-1)?.isDigest === true) : plainPart;
    contentType = undefined;
    if (type.boundary !== undefined) open.push({ boundary: type.boundary, isDigest: type.isDigest });
    // An attached message begins with headers again.
    place = type.isMessage && line === '' ? 'header' : 'body';
    yield { place: 'body', key: line };
  }
}

export async function queryMessage(options: QueryOptions): Promise<boolean> {
  const { flags, io } = options;
  const text = textOf(await readAll(io.stdin));
  const lines = text === '' ? [] : text.replace(/\n$/, '').split('\n');
  const wanted = (place: Place): boolean => flags.has(place === 'header' ? 'h' : 'b');
  let found = false;
  for (const { place, key } of messageKeys(lines, flags.has('m'))) {
    if (wanted(place)) found = (await queryAndPrint(options, key)) || found;
  }
  return found;
}
