/** What the writer thread is asked to do. Operations of one batch share one commit. */
import type { PartChange } from './progress.ts';

export interface PutOperation {
  readonly kind: 'put';
  readonly serial: number;
  readonly id: string;
  readonly queue: number;
  readonly holder: number;
  readonly due: number;
  readonly size: number;
  readonly contentBytes: number;
  readonly headerBytes: number;
  readonly envelope: string;
  readonly recipients: string;
  /** Content that was not written before; empty when it was. */
  readonly content: Uint8Array;
  /** Content or recipients came in parts before. */
  readonly hasParts: boolean;
}

export type Operation =
  | PutOperation
  | {
      readonly kind: 'part';
      readonly serial: number;
      readonly holder: number;
      readonly part: number;
      readonly data: Uint8Array;
    }
  /** Parts of recipients that came before are not kept. */
  | { readonly kind: 'forgetRecipients'; readonly serial: number }
  /** What has become known of recipients that stand in parts. */
  | {
      readonly kind: 'progress';
      readonly serial: number;
      readonly partSize: number;
      readonly changes: readonly PartChange[];
    }
  | { readonly kind: 'gone'; readonly serial: number; readonly parts: number; readonly mayHaveSites: boolean }
  | {
      readonly kind: 'update';
      readonly serial: number;
      readonly queue: number;
      readonly holder: number;
      readonly due: number;
      readonly outcomes: string;
      readonly warned: number | undefined;
      /** The sites it waits for from now on; undefined: as before. */
      readonly sites?: readonly string[] | undefined;
    }
  | { readonly kind: 'outcomes'; readonly serial: number; readonly outcomes: string }
  | {
      readonly kind: 'claim';
      readonly from: 'incoming' | 'deferred' | 'maildrop';
      readonly now: number;
      readonly limit: number;
      readonly holder: number;
    }
  | { readonly kind: 'claimSerials'; readonly serials: readonly number[]; readonly holder: number }
  | { readonly kind: 'makeDue'; readonly now: number; readonly serials: readonly number[] }
  | { readonly kind: 'remove' | 'hold' | 'release' | 'requeue' | 'expire'; readonly serials: readonly number[] }
  /** Of these holders, and of those that are not registered. */
  | { readonly kind: 'releaseLeases'; readonly gone: readonly number[] }
  | {
      readonly kind: 'returnLease';
      readonly serial: number;
      readonly queue: number;
      readonly due: number;
      readonly holder: number;
    }
  | { readonly kind: 'register'; readonly number: number; readonly pid: number; readonly started: string }
  | { readonly kind: 'forget'; readonly numbers: readonly number[] }
  /** Removes content of transactions that never committed their message and whose holder is gone. */
  | { readonly kind: 'sweep' }
  | { readonly kind: 'reserveSerials'; readonly count: number }
  /** A reader met damage in the file with this inode. */
  | { readonly kind: 'salvage'; readonly inode: number; readonly cause: string }
  /** Gives back serial numbers that were never used, when nobody took more since. */
  | { readonly kind: 'returnSerials'; readonly used: number; readonly end: number };

/** What the writer thread is told. Nothing comes after `close`. */
export type WriterOrder =
  | { readonly kind: 'open'; readonly path: string }
  | { readonly kind: 'batch'; readonly operations: readonly Operation[] }
  | { readonly kind: 'close' };

/** What the writer thread says. */
export type WriterReport =
  /** It has its code, and can be told where the queue is. */
  | { readonly kind: 'loaded' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly reason: string }
  /** `returned`: the memory of parts that were written, for the next ones. */
  | {
      readonly kind: 'results';
      readonly results: readonly OperationResult[];
      readonly returned: readonly ArrayBuffer[];
    }
  /** The database was damaged and made anew: log lines about it. */
  | { readonly kind: 'salvaged'; readonly lines: readonly string[] };

/** Whether an operation is part of adding mail; all others free room or say what became of mail, and must not fail on a full disk. */
export function addsMail({ kind }: Operation): boolean {
  return kind === 'put' || kind === 'part' || kind === 'forgetRecipients';
}

/** Whether an operation begins work under a lease, which must not outlive its holder. */
export function takesMail(operation: Operation): boolean {
  return addsMail(operation) || operation.kind === 'claim' || operation.kind === 'claimSerials';
}

/** A list of serial numbers that were changed, or a number; [] where there is nothing to say. */
export type OperationResult =
  | { readonly kind: 'ok'; readonly serials: readonly number[] }
  | { readonly kind: 'failed'; readonly full: boolean; readonly reason: string };
