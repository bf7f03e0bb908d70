/** `cidr:` tables: addresses and networks. cidr_table(5) */
import { type IpAddress, type IpNetwork, ipInNetwork, parseIp } from '#address';
import { missing } from './memory-table.ts';
import { readNetwork } from './networks.ts';
import { firstAnswer, readRules, type RuleSyntax } from './rule-files.ts';
import type { LookupResult, Table } from './table.ts';

/** Negated patterns match the other addresses of their own family only. */
function testOf(network: IpNetwork, negated: boolean): (address: IpAddress) => boolean {
  return (address) => address.bytes.length === network.bytes.length && ipInNetwork(address, network) !== negated;
}

/** Cuts `!pattern` from a line; undefined after a warning. */
function cutPattern(
  text: string,
  isWhole: boolean,
  warn: (text: string) => void,
): { readonly test: (address: IpAddress) => boolean; readonly rest: string } | undefined {
  const bangs = /^[!\s]*/.exec(text)?.[0] ?? '';
  const body = text.slice(bangs.length);
  const pattern = isWhole ? body : (/^\S+/.exec(body)?.[0] ?? '');
  const rest = body.slice(pattern.length).trim();
  const network = readNetwork(pattern);
  if (pattern === '') warn('no address pattern: skipping this rule');
  else if (typeof network === 'string') warn(`${network}: skipping this rule`);
  else if (!isWhole && rest === '') warn('no lookup result: skipping this rule');
  else return { test: testOf(network, bangs.replaceAll(/\s/g, '').length % 2 === 1), rest };
  return undefined;
}

const cidrSyntax: RuleSyntax<IpAddress> = {
  name: 'cidr',
  strayEndif: 'ENDIF without IF: skipping this rule',
  extraAfterEndif: 'garbage after ENDIF: skipping this rule',
  endifMayHaveExtra: false,
  read: (line, warn) => {
    const keyword = /^(if|endif)(?![A-Za-z0-9])/i.exec(line)?.[1];
    const rest = line.slice(keyword?.length ?? 0).trim();
    if (keyword?.length === 5) return { kind: 'endif', extra: rest };
    const pattern = cutPattern(rest, keyword !== undefined, warn);
    if (pattern === undefined) return undefined;
    if (keyword !== undefined) return { kind: 'if', enters: pattern.test };
    const result: LookupResult = { kind: 'found', value: pattern.rest };
    return { kind: 'answer', answer: (address) => (pattern.test(address) ? result : undefined) };
  },
};

export function cidrTable(name: string, path: string, warn: (text: string) => void): Table | string {
  const rules = readRules(path, cidrSyntax, warn);
  if (typeof rules === 'string') return rules;
  return {
    name,
    acceptsPartialKeys: false,
    // What is no address has no answer, not even from `!`.
    lookup: (key) => {
      const address = parseIp(key);
      return (address === undefined ? undefined : firstAnswer(rules, address)) ?? missing;
    },
  };
}
