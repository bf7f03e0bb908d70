/** What the steps of a transaction work on, and how they end. RFC 5321, 3.3 */
import type { Connection } from './connection.ts';
import type { WireAddresses } from './envelope-commands.ts';
import type { ServerFeatures } from './features.ts';
import type { OutputConverter } from './output-converter.ts';
import type { Reply } from './reply.ts';
import type { SmtpSettings } from './settings.ts';
import { warnOfGarbage } from './refusal.ts';
import type { Attempt } from './trouble.ts';

export interface TransactionContext {
  readonly settings: SmtpSettings;
  readonly attempt: Attempt;
  readonly connection: Connection;
  readonly features: ServerFeatures;
  readonly delayDot: boolean;
  readonly addresses: WireAddresses;
  /** The connection has been used: ask first whether it is still good. */
  readonly probeFirst: boolean;
  /** Whether the connection may be kept for another message, asked when the content is out. */
  readonly mayKeep: () => boolean;
  /** Content that is converted for this server; undefined when it goes as it is. */
  readonly converter: OutputConverter | undefined;
  readonly onLineBreak: () => void;
  readonly warn: (text: string) => void;
}

/** How a transaction left its connection. */
export type TransactionEnd =
  /** Ready for another message. */
  | 'kept'
  /** QUIT was said. */
  | 'ended'
  /** Gone, or in no state to go on; the attempt has been told. */
  | 'broken'
  /** A reused connection was gone before anything was said: no harm done. */
  | 'stale';

export function isSuccess(reply: Reply): boolean {
  return reply.code >= 200 && reply.code < 300;
}

/** Nothing more can be said on this connection: the attempt is told what was being done. */
export function broken(
  { attempt, connection, settings, warn }: TransactionContext,
  heard: { readonly kind: 'lost' | 'timeout' | 'unjudged' } | { readonly kind: 'garbage'; readonly line: string },
  doing: string,
): 'broken' {
  if (heard.kind === 'garbage') warnOfGarbage({ attempt, connection, settings, warn }, heard.line);
  attempt.brokeOff(heard.kind, doing);
  connection.destroy();
  return 'broken';
}
