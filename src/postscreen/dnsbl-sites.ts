/** One element of postscreen_dnsbl_sites: `domain[=filter][*weight]`. postconf(5) */
import { ConfigError } from '#config';
import { isValidHostName } from '#address';
import { type AnswerFilter, readAnswerFilter } from '#dns';

export interface DnsblSite {
  readonly domain: string;
  /** Undefined: every answer counts. */
  readonly filter: AnswerFilter | undefined;
  readonly weight: number;
}

export function parseSite(text: string): DnsblSite {
  const problem = (what: string): ConfigError => new ConfigError([`postscreen_dnsbl_sites: ${what}`]);
  const [, site = text, weightText = '1'] = /^(.*)\*([^*]*)$/.exec(text) ?? [];
  const weight = /^[+-]?\d{1,9}$/.test(weightText) ? Number(weightText) : undefined;
  if (weight === undefined) throw problem(`bad DNSBL weight factor "${weightText}" in "${text}"`);
  const equals = site.indexOf('=');
  const domain = equals < 0 ? site : site.slice(0, equals);
  if (!isValidHostName(domain)) throw problem(`bad DNSBL domain name "${domain}" in "${text}"`);
  if (equals < 0) return { domain, filter: undefined, weight };
  const filter = readAnswerFilter(site.slice(equals + 1));
  if ('problem' in filter) throw problem(`bad DNSBL filter syntax: ${filter.problem}`);
  return { domain, filter, weight };
}
