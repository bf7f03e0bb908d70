/** The data that crosses floors: envelope, status, delivery request and outcome, submission. Data, and small tools that every floor has use for. */
export { internalEnvelope, internalReceived } from './internal-mail.ts';
export { formatMailDate } from './date.ts';
export {
  formatMaildropEnvelope,
  type MaildropEnvelope,
  type MaildropRecipient,
  maxMaildropEnvelopeBytes,
  parseMaildropEnvelope,
} from './maildrop.ts';
export { concludedAs, type Finding, type LoggedOutcome, outcomeOf } from './conclusion.ts';
export { type MimeLimits, type MimePlace, type MimeProblem, MimeStructure } from './mime-structure.ts';
export { byteLengthOf, bytesOf, markedBytes, printable, streamable, textOf } from './byte-text.ts';
export { byteFilter, type ByteFilter, filtered } from './byte-filter.ts';
export { encodeQuotedPrintable } from './quoted-printable.ts';
export { fieldBody } from './field-body.ts';
export { longestTimerMs } from './longest-timer.ts';
export { BoundedMemory } from './bounded-memory.ts';
export { Roster } from './roster.ts';
export { type MaybePromise, whenReady } from './result.ts';
export { type DsnAction, failureKind, type OutcomeKind, type Status } from './status.ts';
export type { AddressVerification, Looks, ProbeResult, VerifiedAddress } from './verification.ts';
export type { ClientAttributes, Envelope, Notify, QueueName, Recipient } from './envelope.ts';
export type {
  DeliveryAgent,
  DeliveryRequest,
  DeliveryResult,
  MemberOutcome,
  MessageContent,
  Outcome,
  RequestRecipient,
} from './delivery.ts';
export {
  type ReceiveOverride,
  receiveOverrides,
  type Submission,
  type SubmissionAction,
  type SubmissionOptions,
  type SubmissionPort,
  type SubmissionResult,
  type SubmittedRecipient,
} from './submission.ts';
export {
  type HandshakeSignature,
  isTrusted,
  type KeyExchange,
  type PeerCertificate,
  type TlsFacts,
  tlsWords,
} from './tls-facts.ts';
