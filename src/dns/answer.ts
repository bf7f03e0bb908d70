/** DNS answers as their users see them. */

export type DnsRecord =
  | { readonly type: 'A' | 'AAAA'; readonly name: string; readonly ttl: number; readonly address: string }
  | {
      readonly type: 'MX';
      readonly name: string;
      readonly ttl: number;
      readonly preference: number;
      readonly host: string;
    }
  | { readonly type: 'PTR' | 'NS' | 'CNAME'; readonly name: string; readonly ttl: number; readonly host: string }
  | { readonly type: 'TXT'; readonly name: string; readonly ttl: number; readonly text: string }
  | {
      readonly type: 'SRV';
      readonly name: string;
      readonly ttl: number;
      readonly priority: number;
      readonly weight: number;
      readonly port: number;
      readonly host: string;
    }
  | { readonly type: 'TLSA'; readonly name: string; readonly ttl: number; readonly data: Buffer };

export type DnsType = DnsRecord['type'];

/**
 * Why a lookup gave nothing. Postfix's distinctions: DNS_NOTFOUND (`noName`, `noData`), DNS_RETRY, DNS_FAIL, DNS_INVAL,
 * DNS_NULLMX, and DNS_POLICY (`filtered`: a reply filter dropped every record).
 */
export type DnsTrouble = 'noName' | 'noData' | 'tryAgain' | 'failed' | 'invalid' | 'nullMx' | 'filtered';

export type DnsAnswer =
  | {
      readonly kind: 'ok';
      readonly records: readonly DnsRecord[];
      /** The AD bit. */ readonly secure: boolean;
      readonly canonicalName: string;
    }
  | {
      readonly kind: DnsTrouble;
      /** Postfix's text: `Host or domain name not found. Name service error for name=D type=MX: Host not found`. */ readonly reason: string;
      /** How long a server says that there is nothing: of `noName` and `noData` with an SOA record. RFC 2308, 5 */
      readonly ttl?: number;
    };

export interface Resolver {
  /** Follows CNAME chains; never rejects. */
  lookup(name: string, type: DnsType): Promise<DnsAnswer>;
}

/** Names by the system's own sources (getaddrinfo: /etc/hosts and DNS as nsswitch says), where Postfix would use them. */
export interface HostLookup {
  /** Addresses of a name. */
  addresses(
    name: string,
  ): Promise<
    | { readonly kind: 'ok'; readonly addresses: readonly string[] }
    | { readonly kind: 'notFound' | 'tryAgain'; readonly reason: string }
  >;
  /** Name of an address. */
  name(
    address: string,
  ): Promise<
    { readonly kind: 'ok'; readonly name: string } | { readonly kind: 'notFound' | 'tryAgain'; readonly reason: string }
  >;
}
