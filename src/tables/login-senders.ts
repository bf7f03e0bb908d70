/**
 * Which senders a local user may give for mail: local_login_sender_maps, by login name to patterns of senders.
 * postconf(5); postdrop(1)
 */
import { splitAddress, splitExtension } from '#address';
import { readExtensionRules, type Settings, splitList } from '#config';
import { getUserById } from '#native';
import type { TableOpener } from './opener.ts';

export type SenderRight =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'refused'; readonly reason: string }
  /** A table could not be asked. */
  | { readonly kind: 'failed'; readonly reason: string };

const allowed: SenderRight = { kind: 'allowed' };
const parameter = 'local_login_sender_maps';

function allowsEverySender(settings: Settings): boolean {
  return settings.string(parameter) === 'static:*';
}

/** Whether a user may send as `sender`, which is in internal form. Extensions of the sender don't count. */
export async function senderRight(
  uid: number,
  sender: string,
  settings: Settings,
  tables: TableOpener,
): Promise<SenderRight> {
  if (allowsEverySender(settings)) return allowed;
  const login = getUserById(uid)?.name ?? `uid:${uid}`;
  const found = await tables.listOf(parameter).lookup(login);
  if (found.kind === 'failed') {
    return { kind: 'failed', reason: `${parameter} table lookup error for '${settings.string(parameter)}'` };
  }
  const patterns = found.kind === 'found' ? splitList(found.value) : [];
  return patterns.some(matcher(sender, settings))
    ? allowed
    : { kind: 'refused', reason: `not authorized to use sender='${sender}'` };
}

function matcher(sender: string, settings: Settings): (pattern: string) => boolean {
  const { localPart, domain } = splitAddress(sender);
  const rules = readExtensionRules(settings);
  const { user } = splitExtension(localPart, rules.recipientDelimiter, rules);
  const site = domain === '' ? '' : `@${domain.toLowerCase()}`;
  const bare = `${user.toLowerCase()}${site}`;
  const nullKey = settings.string('empty_address_local_login_sender_maps_lookup_key');
  return (pattern) => {
    if (pattern === '*') return true;
    if (sender === '') return pattern === nullKey;
    return pattern.startsWith('@') ? pattern.toLowerCase() === site : pattern.toLowerCase() === bare;
  };
}
