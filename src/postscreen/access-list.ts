/** Clients that are let in, or kept out, without a test. postconf(5) postscreen_access_list */
import { type Settings, splitList } from '#config';
import { type MaybePromise, whenReady } from '#message';
import type { MatchList, Table, TableOpener } from '#tables';

export type AccessVerdict = 'permit' | 'reject' | 'dunno';

export interface AccessList {
  /** `warn` hears of what is wrong with the list, which then says nothing about the client. */
  check(address: string, warn: (text: string) => void): MaybePromise<AccessVerdict>;
}

const parameter = 'postscreen_access_list';

interface Search {
  readonly address: string;
  readonly networks: MatchList;
  readonly open: (spec: string) => Table;
  readonly warn: (text: string) => void;
}

export function compileAccessList(settings: Settings, tables: TableOpener): AccessList {
  const words = settings.list(parameter);
  const networks = tables.matchList(parameter, 'namadr', settings.elements('mynetworks'));
  const open = (spec: string): Table => tables.open(spec);
  for (const word of words) if (word.includes(':')) open(word);
  return {
    check: (address, warn) =>
      whenReady(evaluate(words, parameter, { address, networks, open, warn }), (found) => found ?? 'dunno'),
  };
}

/** Undefined: the end of the list, or `dunno`. */
function evaluate(
  words: readonly string[],
  origin: string,
  search: Search,
  from = 0,
): MaybePromise<AccessVerdict | undefined> {
  const { address, networks, open, warn } = search;
  const word = words[from];
  if (word === undefined) return undefined;
  const next = (): MaybePromise<AccessVerdict | undefined> => evaluate(words, origin, search, from + 1);
  const ignoreRest = (why: string): AccessVerdict => {
    warn(`${origin}: ${why} -- ignoring the remainder of this access list`);
    return 'dunno';
  };
  if (word.includes(':')) {
    if (origin !== parameter) {
      warn(`table ${origin}: lookup result "${word}" is not allowed -- ignoring remainder of access list`);
      return 'dunno';
    }
    return whenReady(open(word).lookup(address), (found): MaybePromise<AccessVerdict | undefined> => {
      if (found.kind === 'missing') return next();
      if (found.kind === 'failed') return ignoreRest(`${word}: table lookup error`);
      return whenReady(evaluate(splitList(found.value), word, search), (inner) => inner ?? next());
    });
  }
  switch (word.toLowerCase()) {
    case 'permit':
      return 'permit';
    case 'reject':
      return 'reject';
    case 'dunno':
      return undefined;
    case 'permit_mynetworks':
      return whenReady(networks.matches(address, address), (found) => (found === 'yes' ? 'permit' : next()));
    default:
      return ignoreRest(`unknown command: ${word}`);
  }
}
