/** DNS: one stub client, and the system's host lookup. */
export type { DnsAnswer, DnsRecord, DnsTrouble, DnsType, HostLookup, Resolver } from './answer.ts';
export { rememberAnswers } from './answer-memory.ts';
export { type DnssecProbe, parseDnssecProbe, probingDnssec } from './dnssec-probe.ts';
export { createHostLookup, type HostLookupOptions } from './host-lookup.ts';
export { createResolver, type ResolverOptions, type SearchOptions, systemResolver, withSearch } from './resolver.ts';
export { describeRecord, filterReplies } from './reply-filter.ts';
export {
  type AnswerFilter,
  answerCounts,
  parseAnswerFilter,
  readAnswerFilter,
  reversedAddress,
} from './list-filter.ts';
export { dnsErrorText } from './reasons.ts';
