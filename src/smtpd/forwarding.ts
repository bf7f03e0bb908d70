/** What XFORWARD has said of the message to come: where it came from before it went through a content filter. XFORWARD_README */
import type { Override } from './commands/xclient.ts';
import type { ClientFacts } from './session-state.ts';

export interface Forwarding {
  /** What content filters and the log hear of the client; undefined: nothing was said. */
  readonly client: ClientFacts | undefined;
  /** IDENT: its queue ID there; '' when nothing was said. */
  readonly queueId: string;
  /** SOURCE: the mail is local; undefined: nothing was said. */
  readonly isLocal: boolean | undefined;
  /** All that was said, also in commands that were refused. */
  readonly override: Override | undefined;
}

export const notForwarded: Forwarding = { client: undefined, queueId: '', isLocal: undefined, override: undefined };

export function isForwarded({ client, queueId, isLocal }: Forwarding): boolean {
  return client !== undefined || queueId !== '' || isLocal !== undefined;
}
