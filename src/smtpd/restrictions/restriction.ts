/** What a restriction is: a name with its argument and place, and what it says of a session. SMTPD_ACCESS_README */
import type { ListElement, Origin, Settings } from '#config';
import type { HostLookup, Resolver } from '#dns';
import type { EventChannel } from '#events';
import type { AddressVerification, MaybePromise, SubmissionAction } from '#message';
import type { Rewriter } from '#rewrite';
import type { MatchList, MatchResult, TableList, TableOpener } from '#tables';
import type { PolicyWord } from '#events';
import type { SessionFacts, Stage } from '../policy.ts';
import type { Keys } from './access-keys.ts';
import type { OldDefaults } from './old-defaults.ts';
import type { Route } from './routing.ts';
import type { RestrictionSettings } from './settings.ts';

/** What one restriction decides. `dunno`: the next one decides. */
export type Decision =
  | { readonly kind: 'dunno' }
  /** `as`: what smtpd_log_access_permit_actions calls it, when that is not the restriction's name, and where it came from. */
  | {
      readonly kind: 'permit';
      readonly as?: { readonly action: string; readonly place: string };
      readonly permitted?: Permitted;
    }
  | {
      readonly kind: 'reject';
      readonly code: number;
      readonly dsn: string;
      readonly text: string;
      /** For trouble of ours: warn_if_reject does not soften it. */
      readonly isOurs?: boolean;
    }
  /** A temporary refusal for the case that nothing else refuses, or in place of a permanent one. */
  | {
      readonly kind: 'deferIfPermit' | 'deferIfReject';
      readonly code: number;
      readonly dsn: string;
      readonly text: string;
    }
  /** Another list, from an access table or a class. */
  | {
      readonly kind: 'list';
      readonly restrictions: readonly Restriction[];
      /** Of a table's result. */
      readonly subject?: Subject;
      readonly permitted?: Permitted;
    }
  /** The session is over without a reply: HANGUP, with a note for the log, or settings that nothing can be done with. */
  | { readonly kind: 'abandon'; readonly note?: string; readonly fatal?: string };

/** What a permit comes to where it is worth less than elsewhere. */
export type Permitted = (warn: (text: string) => void) => Decision;

export const dunno: Decision = { kind: 'dunno' };
export const permit: Decision = { kind: 'permit' };

/** Address or name that a list speaks about, with the words of its replies. */
export interface Subject {
  /** `Client host`, `Helo command`, `Sender address`, `Recipient address`, `Data command`, `End-of-data` … */
  readonly replyClass: string;
  /** What stands in angle brackets. */
  readonly datum: string;
}

export interface Evaluation {
  readonly facts: SessionFacts;
  readonly stage: Stage;
  readonly subject: Subject;
  readonly route: Route;
  /** Keys for tables that were worked out before in this stage, by what they are about. */
  readonly keys: Map<string, Keys>;
  /** How many lists stand around this one. */
  readonly depth: number;
  /** How many of them are results of tables. */
  readonly tableDepth: number;
  readonly isHeld: () => boolean;
  /** Actions for the message, and lines for the log. */
  readonly act: (action: SubmissionAction) => void;
  readonly log: (word: PolicyWord, text: string) => void;
  readonly warn: (text: string) => void;
  readonly note: (text: string) => void;
}

export interface Restriction {
  /** Lower case; old names as the new ones. */
  readonly name: string;
  /** As written, and the word it begins with: its own, or the `warn_if_reject` before it. */
  readonly written: string;
  readonly firstWord: string;
  readonly argument: string;
  readonly origin: Origin | undefined;
  /** Softened by warn_if_reject before it. */
  readonly warnOnly: boolean;
  readonly evaluate: (evaluation: Evaluation) => MaybePromise<Decision>;
}

/** Results of tables within such results, after which there is no end to expect. */
export const maxDepth = 100;
/** Classes that hold each other need no table for it. */
export const maxClassDepth = 1000;

export interface ProgramOptions {
  /** What a bare `type:table` means in a list; '' where it means nothing. */
  readonly bareTable: string;
}

/** What restrictions are made from. */
export interface Toolbox {
  /** For constructors; what is asked for each client is in `compiled`. */
  readonly settings: Settings;
  readonly compiled: RestrictionSettings;
  readonly tables: TableOpener;
  readonly rewriter: Rewriter;
  readonly resolver: Resolver;
  /** For DNS lists: remembers what other sessions have asked. */
  readonly listResolver: Resolver;
  readonly hostLookup: HostLookup;
  readonly events: EventChannel;
  /** Absent: master.cf has no such service. */
  readonly verification?: AddressVerification | undefined;
  readonly mynetworks: MatchList;
  /** By mydestination of the service; routes go by that of main.cf. */
  readonly isLocalDomain: (domain: string) => MaybePromise<MatchResult>;
  /** rbl_reply_maps */
  readonly replyMaps: TableList;
  readonly oldDefaults: OldDefaults;
  /** Restriction classes that were asked for, by what `type:table` means there and their names. */
  readonly classes: Map<string, readonly Restriction[]>;
  /** Parses a list of restrictions: a table's result. `bareTable`: what `type:table` means there. */
  readonly parse: (elements: readonly ListElement[], options: ProgramOptions) => readonly Restriction[];
}

export type Constructor = (toolbox: Toolbox, argument: string, options: ProgramOptions) => Restriction['evaluate'];

/** A refusal in the words of the list: `<X>: Helo command rejected: TEXT`. */
export function refuse({ subject }: Evaluation, code: number, dsn: string, text: string): Decision {
  return { kind: 'reject', code, dsn, text: `<${subject.datum}>: ${subject.replyClass} rejected: ${text}` };
}

/** The reply for trouble in the configuration itself. */
export const configurationError: Decision = {
  kind: 'reject',
  code: 451,
  dsn: '4.3.5',
  text: 'Server configuration error',
  isOurs: true,
};

/** A table or server that routing asks has failed; warned of where it happened. */
export function lookupFailure(name: string): Decision {
  return { kind: 'reject', code: 451, dsn: '4.3.0', text: `<${name}>: Temporary lookup failure`, isOurs: true };
}
