/** Restrictions about the names that clients give: HELO, sender and recipient domains. postconf(5) */
import { domainToAscii, isAddressLiteral, isValidHostName, parseIp, splitAddress } from '#address';
import { type DnsAnswer, dnsErrorText, type DnsTrouble, type Resolver } from '#dns';
import { type MaybePromise, whenReady } from '#message';
import {
  type Constructor,
  type Decision,
  dunno,
  type Evaluation,
  lookupFailure,
  refuse,
  type Toolbox,
} from './restriction.ts';
import { isFinal } from './routing.ts';

/** A temporary lookup failure: at once, or when nothing else rejects. */
function temporary(action: string, code: number, dsn: string, text: string): Decision {
  return action === 'defer' ? { kind: 'reject', code, dsn, text } : { kind: 'deferIfPermit', code, dsn, text };
}

type Search = readonly (readonly [type: 'MX' | 'A' | 'AAAA', stops: readonly DnsTrouble[]])[];

/** Where mail for a domain goes: its MX records count first, and what is wrong with them. */
const asMailDomain: Search = [
  ['MX', ['invalid', 'nullMx', 'filtered']],
  ['A', ['invalid']],
  ['AAAA', ['invalid']],
];
/** A name in a greeting: any of these will do. */
const asHost: Search = [
  ['A', []],
  ['AAAA', []],
  ['MX', []],
];

/** `ok` with the first record found, else what the last lookup came to, or that another may come to more. */
async function search(name: string, resolver: Resolver, types: Search): Promise<DnsAnswer['kind']> {
  let last: DnsTrouble = 'noName';
  let sawTrouble = false;
  let sawFiltered = false;
  for (const [type, stops] of types) {
    const { kind } = await resolver.lookup(domainToAscii(name) ?? name, type);
    if (kind === 'ok' || stops.includes(kind)) return kind;
    sawTrouble ||= kind === 'tryAgain';
    sawFiltered ||= kind === 'filtered';
    last = kind;
  }
  return sawTrouble ? 'tryAgain' : sawFiltered ? 'filtered' : last;
}

function domainRequired(kind: 'sender' | 'recipient'): Constructor {
  return ({ settings, resolver }) => {
    const code = settings.int('unknown_address_reject_code');
    const action = settings.string('unknown_address_tempfail_action');
    const [notFound, nullMxCode, nullMxDsn] =
      kind === 'sender' ? (['1.8', 550, '5.7.27'] as const) : (['1.2', 556, '5.1.10'] as const);
    const dsn = `4.${notFound}`;
    return (evaluation): MaybePromise<Decision> => {
      const { facts, subject } = evaluation;
      const [address, other] = kind === 'sender' ? [facts.sender, facts.recipient] : [facts.recipient, facts.sender];
      if (address === undefined || address === '') return dunno;
      const text = (reason: string): string => `<${subject.datum}>: ${subject.replyClass} rejected: ${reason}`;
      return whenReady(evaluation.route(address, other), async (route): Promise<Decision> => {
        if (route.kind === 'failed') return lookupFailure(address);
        if (route.kind === 'invalid' || isFinal(route.addressClass)) return dunno;
        const { domain } = splitAddress(route.recipient);
        if (domain.startsWith('[') && domain.endsWith(']')) return dunno;
        switch (await search(domain, resolver, asMailDomain)) {
          case 'ok':
            return dunno;
          case 'filtered':
            evaluation.warn(`${domain}: MX or address lookup error: ${dnsErrorText('filtered')}`);
            return dunno;
          case 'nullMx':
            return {
              kind: 'reject',
              code: nullMxCode,
              dsn: nullMxDsn,
              text: text(`Domain ${domain} does not accept mail (nullMX)`),
            };
          case 'invalid':
            return { kind: 'reject', code, dsn, text: text('Malformed DNS server reply') };
          case 'tryAgain':
            return temporary(action, 450, dsn, text('Domain not found'));
          case 'noName':
          case 'noData':
          case 'failed':
            return { kind: 'reject', code, dsn, text: text('Domain not found') };
        }
      });
    };
  };
}

/** Names that end in one dot mean the same without. */
const withoutDot = (name: string): string => (/[^.]\.$/.test(name) ? name.slice(0, -1) : name);

function isFullyQualified(domain: string): boolean {
  const name = withoutDot(domain);
  return name.includes('.') && isValidHostName(name);
}

function fqdnRequired(kind: 'sender' | 'recipient'): Constructor {
  return ({ settings }) => {
    const code = settings.int('non_fqdn_reject_code');
    return (evaluation) => {
      const { facts } = evaluation;
      const address = kind === 'sender' ? facts.sender : facts.recipient;
      if (address === undefined || (kind === 'sender' && address === '')) return dunno;
      const { domain } = splitAddress(address);
      if (domain.startsWith('[') && domain.endsWith(']')) return dunno;
      return isFullyQualified(domainToAscii(domain) ?? domain)
        ? dunno
        : refuse(evaluation, code, '4.5.2', 'need fully-qualified address');
    };
  };
}

/** A check of the name in the greeting; in brackets only the syntax of an address counts. */
function heloCheck(
  make: (toolbox: Toolbox) => (name: string, evaluation: Evaluation) => MaybePromise<Decision>,
): Constructor {
  return (toolbox) => {
    const invalidCode = toolbox.settings.int('invalid_hostname_reject_code');
    const check = make(toolbox);
    return (evaluation) => {
      const { helo } = evaluation.facts;
      if (helo === undefined) return dunno;
      if (!helo.startsWith('[')) return check(helo, evaluation);
      return isAddressLiteral(helo) ? dunno : refuse(evaluation, invalidCode, '5.5.2', 'invalid ip address');
    };
  };
}

export const names: Readonly<Record<string, Constructor>> = {
  reject_invalid_helo_hostname: heloCheck(({ settings }) => {
    const code = settings.int('invalid_hostname_reject_code');
    return (helo, evaluation) => {
      const name = withoutDot(helo);
      // many clients greet with an address that has no brackets
      return isValidHostName(name) || parseIp(name) !== undefined
        ? dunno
        : refuse(evaluation, code, '5.5.2', 'Invalid name');
    };
  }),
  reject_non_fqdn_helo_hostname: heloCheck(({ settings }) => {
    const code = settings.int('non_fqdn_reject_code');
    return (helo, evaluation) =>
      isFullyQualified(helo) ? dunno : refuse(evaluation, code, '5.5.2', 'need fully-qualified hostname');
  }),
  reject_unknown_helo_hostname: heloCheck(({ settings, resolver }) => {
    const code = settings.int('unknown_hostname_reject_code');
    const dsn = '4.7.1';
    const action = settings.string('unknown_helo_hostname_tempfail_action');
    return async (name, evaluation): Promise<Decision> => {
      switch (await search(name, resolver, asHost)) {
        case 'ok':
        case 'nullMx':
          return dunno;
        case 'filtered':
          evaluation.warn(`${name}: address or MX lookup error: ${dnsErrorText('filtered')}`);
          return dunno;
        case 'tryAgain': {
          const { subject } = evaluation;
          return temporary(action, 450, dsn, `<${subject.datum}>: ${subject.replyClass} rejected: Host not found`);
        }
        case 'invalid':
          return refuse(evaluation, code, dsn, 'Malformed DNS server reply');
        case 'noName':
        case 'noData':
        case 'failed':
          return refuse(evaluation, code, dsn, 'Host not found');
      }
    };
  }),
  reject_non_fqdn_sender: fqdnRequired('sender'),
  reject_non_fqdn_recipient: fqdnRequired('recipient'),
  reject_unknown_sender_domain: domainRequired('sender'),
  reject_unknown_recipient_domain: domainRequired('recipient'),
};
