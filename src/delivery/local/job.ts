/** One recipient's delivery as it unfolds through aliases, .forward files and mailboxes. local(8) */
import type { Bouncer } from '#bounce';
import type { EventChannel } from '#events';
import type { DeliveryRequest, MemberOutcome, RequestRecipient, SubmissionPort } from '#message';
import type { Rewriter } from '#rewrite';
import type { DelivererPool } from '../deliverer.ts';
import type { Passage } from '../pass-on.ts';
import type { StatusFilter } from '../status-filter.ts';
import type { TellNewMail } from './biff.ts';
import type { DoneBefore, ExpansionSteps, MemberOutcomes } from './bounds.ts';
import type { Forwards } from './forwards.ts';
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
  /** How many members all aliases and files that one recipient leads to may have. */
  readonly mostSteps: number;
  /** Delivers to an address that is routed here (recipient.ts): members of an expansion come back to where it began. */
  readonly toAddress: (job: Job, place: Place, address: string) => Promise<void>;
}

export interface Job {
  readonly parts: LocalParts;
  readonly request: DeliveryRequest;
  readonly recipient: RequestRecipient;
  /** Who hears of failures. */
  readonly sender: string;
  readonly forwards: Forwards;
  readonly seen: DoneBefore;
  readonly steps: ExpansionSteps;
  readonly outcomes: MemberOutcomes;
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

/** True the first time. */
export function isNew(job: Job, what: string): boolean {
  return job.seen.isNew(what);
}
