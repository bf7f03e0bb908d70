/** What EHLO announces. postconf(5) postscreen_discard_ehlo_keywords, postscreen_discard_ehlo_keyword_address_maps */
import { splitList } from '#config';
import type { ScreeningSession } from './session.ts';

/** The words of a list of keywords, in the order in which the log names them. */
const knownKeywords: readonly string[] = [
  '8BITMIME',
  'AUTH',
  'ETRN',
  'PIPELINING',
  'SIZE',
  'VERP',
  'VRFY',
  'XCLIENT',
  'XFORWARD',
  'STARTTLS',
  'ENHANCEDSTATUSCODES',
  'DSN',
  'SMTPUTF8',
  'CHUNKING',
];

/** The keywords with their parameters, without those that are not for this client. */
export function announcedKeywords(session: ScreeningSession, discarded: ReadonlySet<string>): readonly string[] {
  const { settings } = session;
  const { messageSizeLimit } = settings;
  return [
    messageSizeLimit > 0 ? `SIZE ${messageSizeLimit}` : 'SIZE',
    ...(settings.announcesVrfy ? ['VRFY'] : []),
    'ETRN',
    ...(session.offersTls ? ['STARTTLS'] : []),
    'ENHANCEDSTATUSCODES',
    '8BITMIME',
    'DSN',
    ...(settings.smtputf8 ? ['SMTPUTF8'] : []),
    'CHUNKING',
  ].filter((keyword) => !discarded.has((keyword.split(' ')[0] ?? '').toLowerCase()));
}

/** Keywords that are not for this client, in lower case. What a table has for the client takes the place of the list for all, and is logged. */
export async function discardedFor(session: ScreeningSession): Promise<ReadonlySet<string>> {
  const { settings, endpoints, events, client } = session;
  if (settings.discardedKeywordMaps.isEmpty) return settings.discardedKeywords;
  const found = await settings.discardedKeywordMaps.lookup(endpoints.client.address);
  if (found.kind === 'failed') session.warn(`${found.table.name} lookup error for ${endpoints.client.address}`);
  if (found.kind !== 'found') return settings.discardedKeywords;
  const words = new Set(splitList(found.value).map((word) => word.toLowerCase()));
  const names = knownKeywords.filter((keyword) => words.has(keyword.toLowerCase()));
  if (names.length > 0 && !words.has('silent-discard')) events.emit({ kind: 'screenKeywords', client, names });
  return words;
}
