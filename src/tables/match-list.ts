/** Membership lists: mydestination, mynetworks, relay_domains … postconf(5), "match lists" */
import { ipInNetwork, parseIp } from '#address';
import { commentWarning, type ListElement, readLogicalLines, splitList } from '#config';
import { type MaybePromise, whenReady } from '#message';
import { errnoText } from '#native';
import type { TableFileReader } from './file-reader.ts';
import { readNetwork } from './networks.ts';
import type { TableObserver } from './observer.ts';
import type { MatchList, MatchResult, Table } from './table.ts';

export type MatchKind = 'string' | 'domain' | 'namadr';

export interface MatchListOptions {
  readonly parameter: string;
  readonly kind: MatchKind;
  readonly elements: readonly ListElement[];
  /** A bare `example.com` matches its subdomains too. */
  readonly matchesParents: boolean;
  readonly open: (spec: string) => Table;
  /** The table that stands for a file that can't be read. */
  readonly unreadableFile: (path: string, reason: string) => Table;
  readonly files: TableFileReader;
  readonly warn: (text: string) => void;
  readonly observe?: TableObserver | undefined;
}

interface Query {
  readonly key: string;
  readonly address: string | undefined;
}

interface Pattern {
  readonly negated: boolean;
  readonly matches: (query: Query) => MaybePromise<MatchResult>;
}

const maxFileDepth = 10;
const yesOrNo = (value: boolean): MatchResult => (value ? 'yes' : 'no');

interface Element {
  readonly text: string;
  /** What stands for a file that can't be read. */
  readonly table?: Table;
}

/** What stands behind `#` counts for nothing, as whoever wrote it meant. */
function uncommented(elements: readonly string[], { parameter, warn }: MatchListOptions): readonly string[] {
  const at = elements.findIndex((text) => text.startsWith('#'));
  if (at < 0) return elements;
  const warning = commentWarning(parameter, elements.slice(at).join(' '));
  if (warning !== undefined) warn(warning);
  return elements.slice(0, at);
}

/** Elements with `/file` contents in place. */
function readFiles(elements: readonly string[], options: MatchListOptions, depth = 0): readonly Element[] {
  return uncommented(elements, options).flatMap((text): readonly Element[] => {
    const bare = text.replace(/^!+/, '');
    if (!bare.startsWith('/') || depth > maxFileDepth) return [{ text }];
    const mark = text.slice(0, text.length - bare.length);
    try {
      const { lines } = readLogicalLines(options.files.text(bare).bytes.toString());
      const inner = lines.flatMap((line) => readFiles(splitList(line.text), options, depth + 1));
      return inner.map((element) => ({ ...element, text: mark + element.text }));
    } catch (error) {
      return [{ text, table: options.unreadableFile(bare, `open file ${bare}: ${errnoText(error)}`) }];
    }
  });
}

/** Names to look up in a table: the key, its parent domains, and for addresses their prefixes. */
function tableKeys({ key, address }: Query, options: MatchListOptions): readonly string[] {
  const keys = key === '' ? [] : [key];
  if (options.kind !== 'string' && parseIp(key) === undefined) {
    for (let dot = key.indexOf('.'); dot >= 0; dot = key.indexOf('.', dot + 1))
      keys.push(key.slice(options.matchesParents ? dot + 1 : dot));
  }
  if (options.kind === 'namadr' && address !== undefined) keys.push(address);
  return keys.filter((word) => word !== '');
}

function matchTable(table: Table, query: Query, options: MatchListOptions): MaybePromise<MatchResult> {
  const keys = tableKeys(query, options);
  const step = (at: number): MaybePromise<MatchResult> => {
    const key = keys[at];
    if (key === undefined) return 'no';
    return whenReady(table.lookup(key), (result): MaybePromise<MatchResult> => {
      if (result.kind === 'failed') {
        options.warn(`${options.parameter}: ${table.name}: table lookup problem`);
        return { failed: `${table.name}: ${result.reason}` };
      }
      return result.kind === 'found' ? 'yes' : step(at + 1);
    });
  };
  return step(0);
}

function domainMatcher(pattern: string, options: MatchListOptions): Pattern['matches'] {
  const name = pattern.toLowerCase();
  return ({ key }) => {
    const domain = key.toLowerCase();
    if (domain === name) return 'yes';
    // `.example.com` is how subdomains are meant where `example.com` does not mean them too
    if (name.startsWith('.')) return yesOrNo(!options.matchesParents && domain.endsWith(name));
    return yesOrNo(options.matchesParents && parseIp(key) === undefined && domain.endsWith(`.${name}`));
  };
}

function compile({ text, table: unreadable }: Element, options: MatchListOptions): Pattern {
  const bare = text.replace(/^!+/, '');
  const negated = (text.length - bare.length) % 2 === 1;
  if (unreadable !== undefined) return { negated, matches: (query) => matchTable(unreadable, query, options) };
  // an IPv6 address stands in brackets, or would be a table
  if (bare.includes(':') && !bare.startsWith('[')) {
    const table = options.open(bare);
    return { negated, matches: (query) => matchTable(table, query, options) };
  }
  if (options.kind === 'string') {
    const name = bare.toLowerCase();
    return { negated, matches: ({ key }) => yesOrNo(key.toLowerCase() === name) };
  }
  if (options.kind === 'namadr' && /^[[\d]/.test(bare)) {
    const network = readNetwork(bare);
    if (typeof network !== 'string') {
      return {
        negated,
        matches: ({ address }) => {
          const parsed = address === undefined ? undefined : parseIp(address);
          return yesOrNo(parsed !== undefined && ipInNetwork(parsed, network));
        },
      };
    }
    if (bare.includes('/') || bare.startsWith('[')) {
      return {
        negated: false,
        matches: ({ address = '' }) => {
          // clients of the other family never get to it
          if (address.includes(':') !== bare.includes(':')) return 'no';
          options.warn(`${options.parameter}: ${network}`);
          return { failed: `${options.parameter}: ${network}` };
        },
      };
    }
  }
  return { negated, matches: domainMatcher(bare, options) };
}

/** Elements are tried in order; the first that matches decides, `!` negates. */
export function createMatchList(options: MatchListOptions): MatchList {
  const { parameter, observe } = options;
  const elements = readFiles(
    options.elements.map((element) => element.text),
    options,
  );
  const patterns = elements.map((element) => compile(element, options));
  const tell = (query: Query, at: number | undefined, result: MatchResult): MatchResult => {
    if (observe !== undefined) {
      const keys = query.address === undefined ? [query.key] : [query.key, query.address];
      observe({ kind: 'list', parameter, keys, element: at === undefined ? undefined : elements[at]?.text, result });
    }
    return result;
  };
  const search = (query: Query, from: number): MaybePromise<MatchResult> => {
    for (let i = from; i < patterns.length; i += 1) {
      const pattern = patterns[i];
      if (pattern === undefined) break;
      const answer = pattern.matches(query);
      if (answer instanceof Promise) {
        return answer.then((result) =>
          result === 'no' ? search(query, i + 1) : tell(query, i, decide(result, pattern.negated)),
        );
      }
      if (answer !== 'no') return tell(query, i, decide(answer, pattern.negated));
    }
    return tell(query, undefined, 'no');
  };
  return { isEmpty: patterns.length === 0, matches: (key, address) => search({ key, address }, 0) };
}

function decide(result: MatchResult, negated: boolean): MatchResult {
  return result === 'yes' && negated ? 'no' : result;
}
