/** What routing says about a recipient. trivial-rewrite(8), ADDRESS_CLASS_README. */

export type AddressClass = 'local' | 'virtualAlias' | 'virtualMailbox' | 'relay' | 'default';

export type Resolution =
  | {
      readonly kind: 'resolved';
      readonly addressClass: AddressClass;
      readonly transport: string;
      readonly nexthop: string;
      /** The recipient as routed, internal form. */
      readonly recipient: string;
      /** The local part still holds `@ % !`: sender-specified routing (allow_untrusted_routing). */
      readonly routed: boolean;
    }
  /** Bad syntax (`5.1.3 bad address syntax`); `recipient`: what was left of the address. */
  | { readonly kind: 'invalid'; readonly reason: string; readonly recipient: string }
  /** A table or name lookup failed: try again later (`4.3.0 address resolver failure`). */
  | { readonly kind: 'failed'; readonly reason: string };
