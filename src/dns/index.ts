/** DNS: one resolver, and the system's host lookup. */
export type { DnsAnswer, DnsRecord, DnsTrouble, DnsType, HostLookup, Resolver } from './answer.ts';
export { rememberAnswers } from './answer-memory.ts';
export { type DnssecProbe, parseDnssecProbe, probingDnssec } from './dnssec-probe.ts';
export { createHostLookup, type HostLookupOptions } from './host-lookup.ts';
export { createResolver, type ResolverOptions } from './resolver.ts';
export { type SearchOptions, withSearch } from './search-list.ts';
export { type SystemResolver, systemResolver } from './system-resolver.ts';
export { filterReplies } from './reply-filter.ts';
export { type AnswerFilter, answerCounts, readAnswerFilter, reversedAddress } from './list-filter.ts';
export { dnsErrorText, invalidNameReason } from './reasons.ts';
