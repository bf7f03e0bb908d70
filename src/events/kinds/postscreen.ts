/** Events of postscreen and its DNS lists. postscreen(8), dnsblog(8) */
import type { Renderings } from '../event.ts';
import { formatDelay } from './delivery.ts';

export type PostscreenEvent =
  /** `client` and `server` are `[address]:port` here and below. */
  | { readonly kind: 'screened'; readonly client: string; readonly server: string }
  /** The client goes to a real SMTP server. */
  | { readonly kind: 'screenPassed'; readonly client: string; readonly isNew: boolean }
  /** postscreen_access_list knows the client, or the address it came to gives no admission. */
  | {
      readonly kind: 'screenListed';
      readonly client: string;
      readonly what: 'allowed' | 'denied' | 'vetoed';
      readonly respectful: boolean;
    }
  | { readonly kind: 'screenDisconnected'; readonly client: string }
  | {
      readonly kind: 'pregreet';
      readonly client: string;
      readonly bytes: number;
      readonly afterMs: number;
      readonly delayDigits: number;
      readonly text: string;
    }
  | { readonly kind: 'dnsblRank'; readonly client: string; readonly rank: number }
  /** What a DNS list answered. */
  | { readonly kind: 'dnsListed'; readonly address: string; readonly domain: string; readonly answer: string }
  | {
      readonly kind: 'screenHangup';
      readonly client: string;
      readonly afterMs: number;
      readonly delayDigits: number;
      readonly stage: 'before' | 'after';
    }
  | {
      readonly kind: 'commandLimit';
      readonly client: string;
      readonly what: 'TIME' | 'COUNT' | 'LENGTH';
      readonly after: string;
    }
  | {
      readonly kind: 'protocolBreach';
      readonly client: string;
      readonly what: 'BARE NEWLINE' | 'NON-SMTP COMMAND' | 'COMMAND PIPELINING';
      readonly after: string;
      /** What the client sent; a bare newline has none. */
      readonly text?: string;
    }
  | { readonly kind: 'screenedContent'; readonly client: string; readonly command: 'DATA' | 'BDAT' }
  | {
      readonly kind: 'screenedRecipient';
      readonly client: string;
      readonly reply: string;
      readonly sender: string;
      readonly recipient: string;
      readonly protocol: string;
      readonly helo: string;
    }
  | {
      readonly kind: 'screenRefused';
      readonly client: string;
      readonly why: 'too many connections' | 'all server ports busy' | 'all screening ports busy';
    }
  | { readonly kind: 'screenKeywords'; readonly client: string; readonly names: readonly string[] }
  | { readonly kind: 'stress'; readonly entering: boolean; readonly connections: number };

const listings = { allowed: ['WHITE', 'ALLOW'], denied: ['BLACK', 'DENY'], vetoed: ['WHITE', 'ALLOW'] } as const;

/** Postfix has no queue id and no capital in one of the three. */
function renderRefusal({ client, why }: Extract<PostscreenEvent, { readonly kind: 'screenRefused' }>): string {
  return why === 'all screening ports busy'
    ? `reject: connect from ${client}: ${why}`
    : `NOQUEUE: reject: CONNECT from ${client}: ${why}`;
}

export const postscreenRenderings: Renderings<PostscreenEvent> = {
  screened: (event) => `CONNECT from ${event.client} to ${event.server}`,
  screenPassed: (event) => `PASS ${event.isNew ? 'NEW' : 'OLD'} ${event.client}`,
  screenListed: (event) =>
    `${listings[event.what][event.respectful ? 1 : 0]}${event.what === 'vetoed' ? 'LIST VETO' : 'LISTED'} ${event.client}`,
  screenDisconnected: (event) => `DISCONNECT ${event.client}`,
  pregreet: (event) =>
    `PREGREET ${event.bytes} after ${formatDelay(event.afterMs, event.delayDigits)} from ${event.client}: ${event.text}`,
  dnsblRank: (event) => `DNSBL rank ${event.rank} for ${event.client}`,
  dnsListed: (event) => `addr ${event.address} listed by domain ${event.domain} as ${event.answer}`,
  screenHangup: (event) =>
    `HANGUP after ${formatDelay(event.afterMs, event.delayDigits)} from ${event.client} in tests ${event.stage} SMTP handshake`,
  commandLimit: (event) => `COMMAND ${event.what} LIMIT from ${event.client} after ${event.after}`,
  protocolBreach: (event) =>
    `${event.what} from ${event.client} after ${event.after}${event.text === undefined ? '' : `: ${event.text}`}`,
  screenedContent: (event) => `${event.command} without valid RCPT from ${event.client}`,
  screenedRecipient: (event, shown) =>
    `NOQUEUE: reject: RCPT from ${event.client}: ${event.reply}; from=<${shown(event.sender)}>, ` +
    `to=<${shown(event.recipient)}>, proto=${event.protocol}, helo=<${event.helo}>`,
  screenRefused: renderRefusal,
  // Postfix puts no colon in front of the port here
  screenKeywords: (event) => `${event.client.replace(']:', ']')}: discarding EHLO keywords: ${event.names.join(', ')}`,
  stress: (event) => `${event.entering ? 'entering' : 'leaving'} STRESS mode with ${event.connections} connections`,
};
