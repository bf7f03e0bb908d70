/** What EHLO announces. postconf(5) postscreen_discard_ehlo_keywords, postscreen_discard_ehlo_keyword_address_maps */
import { splitList } from '#config';
import type { ScreeningSession } from './session.ts';

/** The keywords with their parameters; those that the log has to name as left out are logged. */
export async function announcedKeywords(session: ScreeningSession): Promise<readonly string[]> {
  const { settings, events, client } = session;
  const { messageSizeLimit } = settings;
  const discarded = await discardedFor(session);
  const keywords = [
    messageSizeLimit > 0 ? `SIZE ${messageSizeLimit}` : 'SIZE',
    ...(settings.disableVrfy ? [] : ['VRFY']),
    'ETRN',
    'ENHANCEDSTATUSCODES',
    '8BITMIME',
    'DSN',
    ...(settings.smtputf8 ? ['SMTPUTF8'] : []),
    'CHUNKING',
  ];
  if (discarded.size > 0 && !discarded.has('silent-discard'))
    events.emit({ kind: 'screenKeywords', client, names: [...discarded] });
  return keywords.filter((keyword) => !discarded.has((keyword.split(' ')[0] ?? '').toLowerCase()));
}

async function discardedFor(session: ScreeningSession): Promise<ReadonlySet<string>> {
  const { settings, endpoints } = session;
  if (settings.discardedKeywordMaps.isEmpty) return settings.discardedKeywords;
  const found = await settings.discardedKeywordMaps.lookup(endpoints.client.address);
  if (found.kind === 'found') return new Set(splitList(found.value).map((word) => word.toLowerCase()));
  if (found.kind === 'failed') session.warn(`${found.table.name} lookup error for ${endpoints.client.address}`);
  return settings.discardedKeywords;
}
