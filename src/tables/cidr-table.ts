/** `cidr:` tables: addresses and networks. cidr_table(5) */
import { type IpAddress, type IpNetwork, ipInNetwork, parseWrittenIp } from '#address';
import { missing } from './memory-table.ts';
import { NetworkIndex } from './network-index.ts';
import { readNetwork } from './networks.ts';
import type { TableFileReader } from './file-reader.ts';
import { firstAnswer, readRules, type Rule, type RuleSyntax } from './rule-files.ts';
import { joinRuns } from './rule-runs.ts';
import type { LookupResult, Table } from './table.ts';

/** Negated patterns match the other addresses of their own family only. */
function testOf(network: IpNetwork, negated: boolean): (address: IpAddress) => boolean {
  return (address) => address.bytes.length === network.bytes.length && ipInNetwork(address, network) !== negated;
}

interface Pattern {
  readonly test: (address: IpAddress) => boolean;
  /** Undefined: a negated pattern. */
  readonly network: IpNetwork | undefined;
  readonly rest: string;
}

/** Cuts `!pattern` from a line; undefined after a warning. */
function cutPattern(text: string, isWhole: boolean, warn: (text: string) => void): Pattern | undefined {
  const bangs = /^[!\s]*/.exec(text)?.[0] ?? '';
  const body = text.slice(bangs.length);
  const pattern = isWhole ? body : (/^\S+/.exec(body)?.[0] ?? '');
  const rest = body.slice(pattern.length).trim();
  const network = readNetwork(pattern);
  if (pattern === '') warn('no address pattern: skipping this rule');
  else if (typeof network === 'string') warn(`${network}: skipping this rule`);
  else if (!isWhole && rest === '') warn('no lookup result: skipping this rule');
  else {
    const negated = bangs.replaceAll(/\s/g, '').length % 2 === 1;
    return { test: testOf(network, negated), network: negated ? undefined : network, rest };
  }
  return undefined;
}

/** A rule that says one thing for all of a network. */
interface PlainRule {
  readonly network: IpNetwork;
  readonly result: LookupResult;
}

/** The reader of one table; `plain` gets its plain rules. */
function cidrSyntax(plain: Map<Rule<IpAddress>, PlainRule>): RuleSyntax<IpAddress> {
  return {
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
      const { test, network } = pattern;
      const result: LookupResult = { kind: 'found', value: pattern.rest };
      const rule: Rule<IpAddress> = { kind: 'answer', answer: (address) => (test(address) ? result : undefined) };
      if (network !== undefined) plain.set(rule, { network, result });
      return rule;
    },
  };
}

/** One rule that looks all of them up at once. */
function together(run: readonly PlainRule[]): Rule<IpAddress> {
  const index = new NetworkIndex(run.map(({ network }) => network));
  return {
    kind: 'answer',
    answer: (address) => {
      const place = index.firstAround(address);
      return place === undefined ? undefined : run[place]?.result;
    },
  };
}

export function cidrTable(
  name: string,
  path: string,
  files: TableFileReader,
  warn: (text: string) => void,
): Table | string {
  const plain = new Map<Rule<IpAddress>, PlainRule>();
  const read = readRules(path, cidrSyntax(plain), files, warn);
  if (typeof read === 'string') return read;
  const rules = joinRuns(read.rules, plain, (run) => [together(run.map(([, rule]) => rule))]);
  return {
    name,
    owner: read.owner,
    acceptsPartialKeys: false,
    // What is no address has no answer, not even from `!`.
    lookup: (key) => {
      const address = parseWrittenIp(key);
      return (address === undefined ? undefined : firstAnswer(rules, address)) ?? missing;
    },
  };
}
