/** One recipient's delivery as it unfolds through aliases, .forward files and mailboxes. local(8) */
import type { Bouncer } from '#bounce';
import type { EventChannel } from '#events';
import type { DeliveryRequest, MemberOutcome, RequestRecipient, SubmissionPort } from '#message';
import type { Rewriter } from '#rewrite';
import type { DelivererPool } from '../deliverer.ts';
import type { Passage } from '../pass-on.ts';
import type { StatusFilter } from '../status-filter.ts';
import type { TellNewMail } from './biff.ts';
import type { ExpansionKind, LocalSettings, Rights } from './settings.ts';

/** How one delivery ended. */
export type Ending = Pick<MemberOutcome, 'kind' | 'status' | 'relay' | 'action'>;

/** What local deliveries work with. */
export interface LocalParts {
  readonly settings: LocalSettings;
  readonly rewriter: Rewriter;
  readonly submission: SubmissionPort;
  /** Tells owners of lists. */
  readonly bouncer: Pick<Bouncer, 'notify'>;
  readonly deliverers: DelivererPool;
  readonly events: EventChannel;
  readonly hostname: string;
  readonly now: () => number;
  /** The way to another transport. mailbox_transport, fallback_transport */
  readonly openPassage: (target: string, request: DeliveryRequest) => Passage;
  readonly statusFilter: StatusFilter | undefined;
  /** Undefined: nobody is told of new mail. */
  readonly tellNewMail: TellNewMail | undefined;
  /** Delivers to an address that is routed here (recipient.ts): members of an expansion come back to where it began. */
  readonly toAddress: (job: Job, place: Place, address: string) => Promise<void>;
}

/** An address to send on as part of a new message. */
export interface Forward {
  readonly address: string;
  /** What it inherits of the recipient that was expanded. */
  readonly recipient: RequestRecipient;
  readonly sender: string;
  readonly deliveredTo: string;
}

export interface Job {
  readonly parts: LocalParts;
  readonly request: DeliveryRequest;
  readonly recipient: RequestRecipient;
  /** Who hears of failures. */
  readonly sender: string;
  readonly forwards: Forward[];
  /** Things done already, so that none is done twice. */
  readonly seen: Set<string>;
  readonly outcomes: MemberOutcome[];
  /** Addresses in Delivered-To: fields of the message. */
  readonly been: ReadonlySet<string>;
}

/** Where in the expansion a delivery stands. */
export interface Place {
  readonly level: number;
  /** Name of the alias being expanded. */
  readonly from: string;
  readonly kind: ExpansionKind;
  readonly rights: Rights | undefined;
  /** Who answers for the expansion: an owner- alias, the user of a .forward file, or who includes a file. */
  readonly owner: string;
  readonly sender: string;
  /** Whether `sender` is an owner- alias. */
  readonly isList: boolean;
  /** Goes into Delivered-To:. */
  readonly deliveredTo: string;
  /** Address extension that no alias has used up. */
  readonly unmatched: string;
}

/** A local address in the middle of its delivery. */
export interface Mailee {
  readonly address: string;
  /** Local part in lower case. */
  readonly local: string;
  readonly user: string;
  readonly extension: string;
  readonly delimiter: string;
  readonly domain: string;
}

/** True the first time; upper and lower case are the same. */
export function isNew(job: Job, what: string): boolean {
  const key = what.toLowerCase();
  if (job.seen.has(key)) return false;
  job.seen.add(key);
  return true;
}
