/** Postfix's words for what a DNS lookup came to (dns_strerror, dns_lookup). They end in replies, bounces and the log. */
import type { DnsTrouble, DnsType } from './answer.ts';

/** The short text of a failed lookup, as smtpd logs it. */
export function dnsErrorText(trouble: DnsTrouble): string {
  switch (trouble) {
    case 'noName':
      return 'Host not found';
    case 'noData':
    case 'nullMx':
      return 'Host found but no data record of requested type';
    case 'tryAgain':
      return 'Host not found, try again';
    case 'failed':
      return 'Non-recoverable error';
    case 'invalid':
      return 'Malformed or unexpected name server reply';
    case 'filtered':
      return 'DNS reply filter drops all results';
  }
}

/** The full reason of an answer that holds nothing. */
export function lookupReason(name: string, type: DnsType, trouble: DnsTrouble): string {
  switch (trouble) {
    case 'nullMx':
      return `Domain ${name} does not accept mail (nullMX)`;
    case 'invalid':
      return malformedReason(name, type);
    case 'filtered':
      return `Error looking up name=${name} type=${type}: ${dnsErrorText('filtered')}`;
    case 'noName':
    case 'noData':
    case 'tryAgain':
    case 'failed':
      return `Host or domain name not found. Name service error for name=${name} type=${type}: ${dnsErrorText(trouble)}`;
  }
}

/** A name that no host or domain can have is not asked for. */
export function invalidNameReason(name: string): string {
  return `Name service error for ${name}: invalid host or domain name`;
}

/** A reply that makes no sense: temporary when its framing is broken, `invalid` when it names what can't be a host. */
export function malformedReason(name: string, type: DnsType): string {
  return `Name service error for name=${name} type=${type}: Malformed or unexpected name server reply`;
}
