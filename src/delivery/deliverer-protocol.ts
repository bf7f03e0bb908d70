/**
 * What a deliverer is asked, and what it answers. The process that it is asked by believes no shape of an answer: the
 * deliverer has the rights of a user, who may have taken it over.
 */
import type { CommandEnd, CommandRequest } from './command.ts';
import { pieceBytes } from './file-pieces.ts';
import type { MailboxFile, NewOwner } from './mailbox.ts';
import type { CopyShape } from './shaped-copy.ts';

/** What a deliverer is asked to do. Paths are absolute. */
export type DelivererRequest =
  | { readonly kind: 'maildir'; readonly path: string; readonly hostname: string }
  | ({ readonly kind: 'mailbox' } & MailboxFile)
  | ({ readonly kind: 'command' } & CommandRequest)
  | ReadRequest
  /** Whether something of that name is there. */
  | { readonly kind: 'see'; readonly path: string };

/** The beginning of the first of some files that exists, or a further piece of it. */
export interface ReadRequest {
  readonly kind: 'read';
  readonly paths: readonly string[];
  readonly followsLinks: boolean;
  readonly next?: NextPiece;
}

/** Where a piece of a file begins, and what the file is known by as long as it stays as it is. */
export interface NextPiece {
  readonly from: number;
  readonly stamp: string;
}

export type WriteResult =
  /** `offset`: where in a mailbox file the message begins. */
  | { readonly kind: 'ok'; readonly warnings: readonly string[]; readonly offset?: number }
  /** `isNotRegular`: what stands in the mailbox's place is no file. `code`: the status it means (RFC 3463), '' where the caller decides; `reason`: text for the log. */
  | {
      readonly kind: 'failed';
      readonly code: string;
      readonly reason: string;
      readonly warnings: readonly string[];
      readonly isNotRegular?: boolean;
    };

export type ReadResult =
  /** `bytes`: each as a character of Latin-1. `more`: how to ask for what follows. */
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly bytes: string;
      readonly more: NextPiece | undefined;
      readonly facts: FileFacts;
    }
  /** None of the files exists. */
  | { readonly kind: 'missing' }
  /** It exists, and can't be read. */
  | { readonly kind: 'unreadable'; readonly path: string; readonly reason: string };

export interface FileFacts {
  readonly uid: number;
  readonly mode: number;
  readonly isRegular: boolean;
}

export type DelivererResult = WriteResult | CommandEnd | ReadResult;

export const failedResult = (code: string, reason: string): DelivererResult => ({
  kind: 'failed',
  code,
  reason,
  warnings: [],
});

type Json = Readonly<Record<string, unknown>>;
const isRecord = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const integer = (value: unknown): number => (typeof value === 'number' ? value : 0);
const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);

export function isNumbered(value: unknown): value is Json & { readonly id: number } {
  return isRecord(value) && typeof value['id'] === 'number';
}

function parseOwner(value: unknown): NewOwner | undefined {
  return isRecord(value) ? { uid: integer(value['uid']), gid: integer(value['gid']) } : undefined;
}

function parseMailbox(value: Json): MailboxFile {
  const locks = isRecord(value['locks']) ? value['locks'] : {};
  return {
    path: text(value['path']),
    locks: {
      kinds: texts(locks['kinds']),
      attempts: integer(locks['attempts']),
      delayMs: integer(locks['delayMs']),
      staleMs: integer(locks['staleMs']),
    },
    sizeLimit: integer(value['sizeLimit']),
    isFileDestination: value['isFileDestination'] === true,
    owner: typeof value['owner'] === 'number' ? value['owner'] : undefined,
    newOwner: parseOwner(value['newOwner']),
  };
}

function parseRead(value: Json): ReadRequest {
  const next = parseNext(value['next']);
  return {
    kind: 'read',
    paths: texts(value['paths']),
    followsLinks: value['followsLinks'] === true,
    ...(next === undefined ? {} : { next }),
  };
}

function parseCommand(value: Json): CommandRequest {
  const { command, environment } = value;
  return {
    command: typeof command === 'string' ? command : texts(command),
    shell: text(value['shell']),
    environment: isRecord(environment)
      ? Object.fromEntries(Object.entries(environment).map(([name, content]) => [name, text(content)]))
      : {},
    directory: text(value['directory']),
    limitMs: integer(value['limitMs']),
  };
}

/**
 * The head of a frame to a deliverer: a request with the first piece of its content and the shape it is to get, a further
 * piece, or no more to come.
 */
export type DelivererCall =
  | {
      readonly id: number;
      readonly request: DelivererRequest;
      readonly shape?: CopyShape | undefined;
      readonly more: boolean;
    }
  | { readonly id: number; readonly more: boolean }
  | { readonly id: number; readonly broken: true };

/** The head of a frame from a deliverer: the next piece is wanted, or the result. */
export type DelivererAnswer =
  | { readonly id: number; readonly want: true }
  | { readonly id: number; readonly result: DelivererResult };

export function parseShape(value: unknown): CopyShape | undefined {
  if (!isRecord(value)) return undefined;
  return {
    top: text(value['top']),
    bottom: text(value['bottom']),
    quotesFrom: value['quotesFrom'] === true,
    stuffsDots: value['stuffsDots'] === true,
    lineEnd: text(value['lineEnd']),
  };
}

export function parseRequest(value: unknown): DelivererRequest | undefined {
  if (!isRecord(value)) return undefined;
  switch (value['kind']) {
    case 'maildir':
      return { kind: 'maildir', path: text(value['path']), hostname: text(value['hostname']) };
    case 'mailbox':
      return { kind: 'mailbox', ...parseMailbox(value) };
    case 'command':
      return { kind: 'command', ...parseCommand(value) };
    case 'read':
      return parseRead(value);
    case 'see':
      return { kind: 'see', path: text(value['path']) };
    default:
      return undefined;
  }
}

const isText = (value: unknown): value is string => typeof value === 'string';
const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
const isFlag = (value: unknown): value is boolean => typeof value === 'boolean';
const areTexts = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every(isText);
/** A failure has no code of success; '' where whoever asked decides. */
const isFailureCode = (value: unknown): value is string => isText(value) && /^(?:[45]\.\d{1,3}\.\d{1,3})?$/.test(value);

/** What a deliverer said; undefined for what it never says. */
export function parseAnswer(value: unknown): DelivererAnswer | undefined {
  if (!isNumbered(value)) return undefined;
  const { id } = value;
  if (value['want'] === true) return { id, want: true };
  const result = parseResult(value['result']);
  return result === undefined ? undefined : { id, result };
}

function parseResult(value: unknown): DelivererResult | undefined {
  if (!isRecord(value)) return undefined;
  switch (value['kind']) {
    case 'ok': {
      const { warnings, offset = 0 } = value;
      return areTexts(warnings) && isCount(offset) ? { kind: 'ok', warnings, offset } : undefined;
    }
    case 'failed': {
      const { code, reason, warnings, isNotRegular = false } = value;
      const isWhole = isFailureCode(code) && isText(reason) && areTexts(warnings) && isFlag(isNotRegular);
      return isWhole ? { kind: 'failed', code, reason, warnings, isNotRegular } : undefined;
    }
    case 'ended':
      return parseEnd(value);
    case 'file':
      return parseFile(value);
    case 'missing':
      return { kind: 'missing' };
    case 'unreadable': {
      const { path, reason } = value;
      return isText(path) && isText(reason) ? { kind: 'unreadable', path, reason } : undefined;
    }
    default:
      return undefined;
  }
}

function parseEnd(value: Json): CommandEnd | undefined {
  const { status, signal, output, timedOut, failure, isFailurePrinted } = value;
  if (!(status === undefined || isCount(status)) || !isCount(signal) || !isText(output) || !isText(failure))
    return undefined;
  if (!isFlag(timedOut) || !isFlag(isFailurePrinted)) return undefined;
  return { kind: 'ended', status, signal, output, timedOut, failure, isFailurePrinted };
}

function parseFile(value: Json): ReadResult | undefined {
  const { path, bytes } = value;
  const facts = parseFacts(value['facts']);
  if (!isText(path) || !isText(bytes) || facts === undefined) return undefined;
  if (value['more'] === undefined) return { kind: 'file', path, bytes, more: undefined, facts };
  const more = parseNext(value['more']);
  return more === undefined || bytes.length !== pieceBytes ? undefined : { kind: 'file', path, bytes, more, facts };
}

function parseNext(value: unknown): NextPiece | undefined {
  if (!isRecord(value)) return undefined;
  const { from, stamp } = value;
  return isCount(from) && isText(stamp) ? { from, stamp } : undefined;
}

function parseFacts(value: unknown): FileFacts | undefined {
  if (!isRecord(value)) return undefined;
  const { uid, mode, isRegular } = value;
  return isCount(uid) && uid < 2 ** 32 && isCount(mode) && isFlag(isRegular) ? { uid, mode, isRegular } : undefined;
}

function isWritten(result: DelivererResult): result is WriteResult {
  return result.kind === 'ok' || result.kind === 'failed';
}

/** The answer to a write, where nothing else can come. */
export function asWritten(result: DelivererResult): WriteResult {
  if (isWritten(result)) return result;
  return { kind: 'failed', code: '4.3.0', reason: 'the deliverer answered nonsense', warnings: [] };
}

/** The answer to a read, where nothing else can come. */
export function asFile(result: DelivererResult): ReadResult {
  if (result.kind === 'file' || result.kind === 'missing' || result.kind === 'unreadable') return result;
  const reason = result.kind === 'failed' ? result.reason : 'the deliverer answered nonsense';
  return { kind: 'unreadable', path: '', reason };
}
