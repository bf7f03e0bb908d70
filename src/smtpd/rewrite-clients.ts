/** Whose headers are rewritten as local mail's. postconf(5) local_header_rewrite_clients */
import { nearestName, type Settings } from '#config';
import type { MatchList, TableList, TableOpener } from '#tables';
import type { FaultyRestriction } from './restrictions/program.ts';

/** One element of local_header_rewrite_clients. */
export type RewriteClients =
  | { readonly kind: 'inetInterfaces' | 'saslAuthenticated' | 'all' }
  | { readonly kind: 'list'; readonly list: MatchList }
  | { readonly kind: 'table'; readonly list: TableList }
  | Mistake
  /** relay_clientcerts; or, with `any`, what an authority vouches for, too. */
  | { readonly kind: 'listedCertificate' | 'anyCertificate'; readonly list: TableList };

/** Warned of whenever it is reached; one without its table leaves no answer, any other is passed over. */
interface Mistake {
  readonly kind: 'mistake';
  readonly text: string;
  readonly lacksTable: boolean;
}

const parameter = 'local_header_rewrite_clients';
const tableRequest = 'check_address_map';

type Reader = (settings: Settings, tables: TableOpener) => RewriteClients;

const requests: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['permit_inet_interfaces', () => ({ kind: 'inetInterfaces' })],
  [
    'permit_mynetworks',
    (settings, tables) => ({
      kind: 'list',
      list: tables.matchList('mynetworks', 'namadr', settings.elements('mynetworks')),
    }),
  ],
  ['permit_sasl_authenticated', () => ({ kind: 'saslAuthenticated' })],
  ['static:all', () => ({ kind: 'all' })],
  ['permit_tls_clientcerts', (_, tables) => ({ kind: 'listedCertificate', list: tables.listOf('relay_clientcerts') })],
  ['permit_tls_all_clientcerts', (_, tables) => ({ kind: 'anyCertificate', list: tables.listOf('relay_clientcerts') })],
]);

/** Whether the word only introduces the table that follows it, which is looked up without it as well. */
function introducesTable(words: readonly string[], at: number): boolean {
  return words[at]?.toLowerCase() === tableRequest && words[at + 1]?.includes(':') === true;
}

function mistakeAt(words: readonly string[], at: number): Mistake | undefined {
  const word = words[at] ?? '';
  const name = word.toLowerCase();
  if (introducesTable(words, at) || requests.has(name) || word.includes(':')) return undefined;
  if (name !== tableRequest)
    return { kind: 'mistake', text: `parameter ${parameter}: invalid request: ${word}`, lacksTable: false };
  const text = `restriction ${tableRequest}: bad argument "${words[at + 1] ?? word}": need maptype:mapname`;
  return { kind: 'mistake', text, lacksTable: true };
}

export function readRewriteClients(settings: Settings, tables: TableOpener): readonly RewriteClients[] {
  const words = settings.list(parameter);
  return words.flatMap((word, at): RewriteClients | readonly RewriteClients[] => {
    if (introducesTable(words, at)) return [];
    const read = requests.get(word.toLowerCase());
    return mistakeAt(words, at) ?? read?.(settings, tables) ?? { kind: 'table', list: tables.list(word) };
  });
}

/** What nobody can be recognised by, seen without a client. */
export function faultyRewriteClients(settings: Settings): readonly FaultyRestriction[] {
  const elements = settings.elements(parameter);
  const words = elements.map(({ text }) => text);
  return elements.flatMap((element, at) => {
    const mistake = mistakeAt(words, at);
    if (mistake === undefined) return [];
    const nearest = nearestName(element.text.toLowerCase(), [...requests.keys(), tableRequest]);
    const hint = nearest === undefined ? '' : `; did you mean "${nearest}"?`;
    const problem = mistake.lacksTable ? mistake.text : `unknown request "${element.text}"${hint}`;
    return [{ element, problem, isSkipped: !mistake.lacksTable }];
  });
}
