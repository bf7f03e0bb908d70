/** The wire, without input or output of its own: framing, replies, command syntax, dot-stuffing, xtext. For server, client and proxies. */
export { CommandReader, type Framed } from './command-reader.ts';
export { type CommandWord, splitCommand } from './command-words.ts';
export { type BareNewlineMode } from './content-lines.ts';
export { discardedKeywordNames } from './discarded-keywords.ts';
export { DotStuffer } from './dot-stuffing.ts';
export { parseEhloKeywords } from './ehlo.ts';
export { escapedText, isHeaderName, neutered, peekedText } from './foreign-input.ts';
export { LineEndNormalizer } from './line-ends.ts';
export { parsePath, pathAddress } from './mail-arguments.ts';
export { type AddressFamily, type Endpoint, type ProxyHeader, ProxyHeaderReader } from './proxy-header.ts';
export { cleanMacro, expansionFilter, withFooter } from './reject-footer.ts';
export { ReplyLines } from './reply-lines.ts';
export { formatReply, type ReplyText } from './reply.ts';
export { RequestDeadline } from './request-deadline.ts';
export { type SessionNotice, SessionTranscript, type TranscriptOptions } from './transcript.ts';
export { Turn } from './turn.ts';
export { decodeUtf8Xtext, decodeXtext, encodeXtext } from './xtext.ts';
