/** DNS: one stub client, and the system's host lookup. */
export type { DnsAnswer, DnsRecord, DnsType, HostLookup, Resolver } from './answer.ts';
