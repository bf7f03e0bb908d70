/** What a rehearsal tells and gives. */
import type { Configuration, ServiceEntry, Settings } from '#config';
import type { DnsAnswer, DnsType, Resolver } from '#dns';
import type { MailEvent } from '#events';
import type { SubmissionAction } from '#message';
import type { Conversation, PolicyEvent, RehearsedClient } from '#smtpd';
import type { TableQuestion } from '#tables';

/** Who hears what happens, in the order it happens. */
export interface RehearsalOnlooker {
  policy(event: PolicyEvent): void;
  /** A restriction that was not asked, or whose answer counts for nothing: why. */
  avoided(reason: string): void;
  table(question: TableQuestion, asker: 'smtpd' | 'rewrite' | 'cleanup'): void;
  dns(name: string, type: DnsType, answer: DnsAnswer): void;
  /** A name or address by the system's sources: /etc/hosts, DNS. */
  host(question: string, answer: string): void;
  /** A line for the mail log, without time and tag. */
  log(event: MailEvent, text: string): void;
  /** What a restriction or content check wants done with the message. */
  action(action: SubmissionAction): void;
}

export interface RehearsalOptions {
  readonly directory: string;
  /** Name of an smtpd service of master.cf, or `name/type`; the first one when undefined. */
  readonly service: string | undefined;
  /** Neither DNS nor policy servers are asked. */
  readonly isOffline: boolean;
  readonly onlooker: RehearsalOnlooker;
  /** Instead of the system's. */
  readonly resolver?: Resolver;
}

/** Where a copy of the message goes. */
export interface Delivery {
  readonly recipient: string;
  /** `copy`: for somebody whom no client named (BCC). */
  readonly kind: 'recipient' | 'copy';
  /** Of the address; undefined when routing does not get that far. */
  readonly addressClass: string | undefined;
  readonly next:
    | {
        readonly kind: 'deliver';
        readonly transport: string;
        readonly nexthop: string;
        /** The transport's entry in master.cf; undefined: there is none. */
        readonly entry: ServiceEntry | undefined;
        /** content_filter or FILTER decided. */
        readonly isFilter: boolean;
      }
    | {
        readonly kind: 'decided';
        readonly outcome: 'deferred' | 'bounced' | 'sent';
        readonly code: string;
        readonly reason: string;
      };
}

/** What becomes of a message for one recipient after it was accepted. */
export type Way =
  | {
      readonly kind: 'queued';
      readonly queue: 'incoming' | 'hold';
      readonly sender: string;
      readonly deliveries: readonly Delivery[];
    }
  | { readonly kind: 'discarded' }
  | { readonly kind: 'refused'; readonly reply: string };

export interface Rehearsal {
  readonly configuration: Configuration;
  readonly service: ServiceEntry;
  /** Settings of the service. */
  readonly settings: Settings;
  /** Tables that the server could not use and that were read from their source; grows as they are opened. */
  readonly substitutes: ReadonlySet<string>;
  /** Holds a conversation with the SMTP server. */
  converse(client: RehearsedClient, conversation: Conversation): Promise<void>;
  /** The way of a message that was accepted with these actions. */
  wayOf(sender: string, recipient: string, actions: readonly SubmissionAction[]): Promise<Way>;
  close(): void;
}
