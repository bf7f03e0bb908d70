/** smtp_generic_maps: addresses of this site as the world shall see them, in the envelope and in headers. generic(5) */
import { addressesOf, formatAddressHeader, mapAddresses, parseAddressList, toExternal } from '#address';
import { readExtensionRules, type Settings } from '#config';
import { fieldBody } from '#message';
import { mapAddress, type MatchList, type TableList, type TableOpener } from '#tables';
import type { WireAddresses } from './envelope-commands.ts';
import type { SmtpSettings } from './settings.ts';
import type { Attempt } from './trouble.ts';

export interface GenericOptions {
  readonly tables: TableOpener;
  readonly settings: SmtpSettings;
  readonly mainSettings: Settings;
  readonly rewriter?: { rewrite(address: string, context: 'local' | 'remote'): string };
  readonly warn: (text: string) => void;
}

export interface GenericRules extends GenericOptions {
  readonly generic: TableList;
  readonly localDomains: MatchList;
}

export function openGenericRules(options: GenericOptions): GenericRules {
  const { tables, settings, mainSettings } = options;
  return {
    ...options,
    generic: tables.list(settings.tables.generic, {}, settings.parameter('generic_maps')),
    localDomains: tables.matchList('mydestination', 'domain', mainSettings.elements('mydestination')),
  };
}

/** The wire form of all addresses of the envelope; undefined when a table failed. */
export async function genericAddresses(
  rules: GenericRules,
  { request, recipients }: Attempt,
): Promise<WireAddresses | undefined> {
  const known = new Map<string, string>();
  for (const address of [request.envelope.sender, ...recipients.map((one) => one.address)]) {
    if (address === '' || known.has(address)) continue;
    const mapped = await genericAddress(rules, address);
    if (mapped === undefined) return undefined;
    known.set(address, mapped);
  }
  return { quote: rules.settings.quoteEnvelope, generic: (address) => known.get(address) ?? address };
}

/** smtp_generic_maps for one address, which may be its own answer; undefined when a table failed. generic(5) */
async function genericAddress(rules: GenericRules, address: string): Promise<string | undefined> {
  const { settings, mainSettings, generic, localDomains, rewriter } = rules;
  const origin = mainSettings.string('myorigin').toLowerCase();
  const result = await mapAddress(generic, address, {
    ...readExtensionRules(mainSettings),
    isLocalDomain: (domain) => (domain.toLowerCase() === origin ? 'yes' : localDomains.matches(domain)),
    propagatesExtension: settings.propagateGenericExtension,
    complete: (text) => rewriter?.rewrite(text, 'local') ?? text,
  });
  if (result.kind === 'failed') {
    const { useless } = result;
    if (useless !== undefined)
      rules.warn(`${generic.title} lookup of ${toExternal(address)} returns non-address result "${useless}"`);
    rules.warn(`${settings.parameter('generic_maps')} map lookup problem for ${address}`);
    return undefined;
  }
  if (result.kind === 'missing') return address;
  if (result.addresses.length > 1)
    rules.warn(`multi-valued ${settings.parameter('generic_maps')} result for ${toExternal(address)}`);
  return result.addresses[0] ?? address;
}

const addressHeaders: ReadonlySet<string> = new Set([
  'apparently-to',
  'bcc',
  'cc',
  'disposition-notification-to',
  'errors-to',
  'from',
  'mail-followup-to',
  'mail-reply-to',
  'reply-to',
  'resent-bcc',
  'resent-cc',
  'resent-from',
  'resent-reply-to',
  'resent-sender',
  'resent-to',
  'return-path',
  'return-receipt-to',
  'sender',
  'to',
]);

export function isAddressHeader(name: string): boolean {
  return addressHeaders.has(name.toLowerCase());
}

export async function genericHeader(rules: GenericRules, name: string, header: string): Promise<string> {
  const tokens = parseAddressList(fieldBody(header));
  const mapped = new Map<string, string>();
  for (const address of addressesOf(tokens)) {
    const result = await genericAddress(rules, address);
    if (result !== undefined && result !== address) mapped.set(address, result);
  }
  if (mapped.size === 0) return header;
  const text = formatAddressHeader(
    name,
    mapAddresses(tokens, (address) => mapped.get(address) ?? address),
  );
  return text.replace(/\r?\n$/, '').replaceAll('\r\n', '\n');
}
