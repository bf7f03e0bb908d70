/** Restrictions about the names that clients give: HELO, sender and recipient domains. postconf(5) */
import { isAddressLiteral, isValidHostName, parseAddressLiteral, splitAddress } from '#address';
import type { Resolver } from '#dns';
import { type MaybePromise, whenReady } from '#message';
import { type Constructor, type Decision, dunno, type Evaluation, refuse, type Toolbox } from './restriction.ts';

const helo = ({ facts }: Evaluation): string | undefined => facts.helo;

/** A temporary lookup failure: at once, or when nothing else rejects. */
function temporary(action: string, code: number, dsn: string, text: string): Decision {
  return action === 'defer' ? { kind: 'reject', code, dsn, text } : { kind: 'deferIfPermit', code, dsn, text };
}

async function hasMailHost(
  name: string,
  resolver: Resolver,
  warn: (text: string) => void,
): Promise<'yes' | 'no' | 'tempfail' | 'nullMx' | 'malformed'> {
  let sawTrouble = false;
  for (const type of ['MX', 'A', 'AAAA'] as const) {
    const answer = await resolver.lookup(name, type);
    if (answer.kind === 'ok') return 'yes';
    if (answer.kind === 'nullMx') return 'nullMx';
    if (answer.kind === 'invalid') return 'malformed';
    if (answer.kind === 'filtered') {
      warn(`${name}: MX or address lookup error: ${answer.reason.replace(/^.*: (?=DNS reply)/, '')}`);
      return 'yes';
    }
    if (answer.kind === 'tryAgain' || answer.kind === 'failed') sawTrouble = true;
  }
  return sawTrouble ? 'tempfail' : 'no';
}

function domainRequired(kind: 'sender' | 'recipient'): Constructor {
  return ({ settings, resolver, rewriter }) => {
    const code = settings.int('unknown_address_reject_code');
    const action = settings.string('unknown_address_tempfail_action');
    const [notFound, nullMxCode, nullMxDsn] =
      kind === 'sender' ? (['1.8', 550, '5.7.27'] as const) : (['1.2', 556, '5.1.10'] as const);
    const dsn = (of: number): string => `${Math.floor(of / 100)}.${notFound}`;
    return (evaluation): MaybePromise<Decision> => {
      const address = kind === 'sender' ? evaluation.facts.sender : evaluation.facts.recipient;
      const { domain } = splitAddress(address ?? '');
      if (domain === '' || isAddressLiteral(domain)) return dunno;
      const text = (reason: string): string =>
        `<${evaluation.subject.datum}>: ${evaluation.subject.replyClass} rejected: ${reason}`;
      return whenReady(isFinalDomain(domain, rewriter), async (isFinal): Promise<Decision> => {
        if (isFinal) return dunno;
        switch (await hasMailHost(domain, resolver, evaluation.warn)) {
          case 'yes':
            return dunno;
          case 'nullMx':
            return {
              kind: 'reject',
              code: nullMxCode,
              dsn: nullMxDsn,
              text: text(`Domain ${domain} does not accept mail (nullMX)`),
            };
          case 'malformed':
            return { kind: 'reject', code, dsn: dsn(code), text: text('Malformed DNS server reply') };
          case 'tempfail':
            return temporary(action, 450, `4.${notFound}`, text('Domain not found'));
          case 'no':
            return { kind: 'reject', code, dsn: dsn(code), text: text('Domain not found') };
        }
      });
    };
  };
}

function isFinalDomain(domain: string, rewriter: Toolbox['rewriter']): MaybePromise<boolean> {
  const tests = [
    (name: string) => rewriter.isLocalDomain(name),
    (name: string) => rewriter.isVirtualAliasDomain(name),
    (name: string) => rewriter.isVirtualMailboxDomain(name),
  ];
  const step = (at: number): MaybePromise<boolean> => {
    const test = tests[at];
    return test === undefined ? false : whenReady(test(domain), (answer) => (answer === 'yes' ? true : step(at + 1)));
  };
  return step(0);
}

/** A name, or an address without brackets, which many clients greet with. */
function isHostName(name: string): boolean {
  const bare = name.replace(/\.$/, '');
  return isValidHostName(bare) || /^[\d.]+$/.test(bare);
}

function isFullyQualified(domain: string): boolean {
  if (isAddressLiteral(domain)) return parseAddressLiteral(domain) !== undefined;
  return domain.replace(/\.$/, '').includes('.') && isValidHostName(domain.replace(/\.$/, ''));
}

function fqdnRequired(kind: 'sender' | 'recipient'): Constructor {
  return ({ settings }) => {
    const code = settings.int('non_fqdn_reject_code');
    return (evaluation) => {
      const address = kind === 'sender' ? evaluation.facts.sender : evaluation.facts.recipient;
      if (address === undefined || address === '') return dunno;
      const { domain } = splitAddress(address);
      return domain !== '' && (isAddressLiteral(domain) || isFullyQualified(domain))
        ? dunno
        : refuse(evaluation, code, '5.5.2', 'need fully-qualified address');
    };
  };
}

export const names: Readonly<Record<string, Constructor>> = {
  reject_invalid_helo_hostname: ({ settings }) => {
    const code = settings.int('invalid_hostname_reject_code');
    return (evaluation) => {
      const name = helo(evaluation);
      if (name === undefined) return dunno;
      if (name.startsWith('[')) {
        return parseAddressLiteral(name) === undefined
          ? refuse(evaluation, code, '5.5.2', 'invalid ip address')
          : dunno;
      }
      return isHostName(name) ? dunno : refuse(evaluation, code, '5.5.2', 'Invalid name');
    };
  },
  reject_non_fqdn_helo_hostname: ({ settings }) => {
    const code = settings.int('non_fqdn_reject_code');
    return (evaluation) => {
      const name = helo(evaluation);
      return name === undefined || name.startsWith('[') || isFullyQualified(name)
        ? dunno
        : refuse(evaluation, code, '5.5.2', 'need fully-qualified hostname');
    };
  },
  reject_unknown_helo_hostname: ({ settings, resolver }) => {
    const code = settings.int('unknown_hostname_reject_code');
    const invalidCode = settings.int('invalid_hostname_reject_code');
    const action = settings.string('unknown_helo_hostname_tempfail_action');
    return async (evaluation): Promise<Decision> => {
      const name = helo(evaluation);
      if (name === undefined) return dunno;
      if (name.startsWith('[')) {
        return parseAddressLiteral(name) === undefined
          ? refuse(evaluation, invalidCode, '5.5.2', 'invalid ip address')
          : dunno;
      }
      if (!isHostName(name)) return refuse(evaluation, invalidCode, '5.5.2', 'Invalid name');
      const found = await hasMailHost(name, resolver, evaluation.warn);
      if (found === 'yes' || found === 'nullMx') return dunno;
      if (found === 'tempfail') {
        const { subject } = evaluation;
        return temporary(action, 450, '4.7.1', `<${subject.datum}>: ${subject.replyClass} rejected: Host not found`);
      }
      return refuse(
        evaluation,
        code,
        `${Math.floor(code / 100)}.7.1`,
        found === 'malformed' ? 'Malformed DNS server reply' : 'Host not found',
      );
    };
  },
  reject_non_fqdn_sender: fqdnRequired('sender'),
  reject_non_fqdn_recipient: fqdnRequired('recipient'),
  reject_unknown_sender_domain: domainRequired('sender'),
  reject_unknown_recipient_domain: domainRequired('recipient'),
};
