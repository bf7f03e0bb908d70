/** Events of TLS handshakes, of the SMTP server and of the one that stands in for it. smtpd(8), tlsproxy(8) */
import { isTrusted, type PeerCertificate, type TlsFacts, tlsWords } from '#message';
import type { Renderings } from '../event.ts';

/** `client`: as the service names it, `name[address]` or `[address]:port`. */
export type TlsEvent =
  | { readonly kind: 'tlsSetUp'; readonly client: string }
  /** A certificate of the client's chain; `depth` 0: its own. */
  | {
      readonly kind: 'tlsVerified';
      readonly client: string;
      readonly depth: number;
      readonly isGood: boolean;
      readonly subject: string;
    }
  /** In OpenSSL's words. */
  | { readonly kind: 'tlsState'; readonly state: string }
  | { readonly kind: 'tlsEngine' }
  | { readonly kind: 'tlsCiphers'; readonly client: string; readonly list: string }
  /** No certificate for the name that the client asked for. */
  | { readonly kind: 'tlsNameUnmatched'; readonly client: string; readonly serverName: string }
  | { readonly kind: 'tlsUnverified'; readonly client: string; readonly problem: string }
  | { readonly kind: 'tlsPeer'; readonly client: string; readonly peer: PeerCertificate }
  | { readonly kind: 'tlsPeerName'; readonly whose: 'subject' | 'issuer'; readonly name: string }
  | { readonly kind: 'tlsResumed'; readonly client: string; readonly byTicket: boolean }
  | { readonly kind: 'tlsRefused'; readonly client: string; readonly reason: string }
  | { readonly kind: 'tlsAccepted'; readonly client: string; readonly tls: TlsFacts }
  /** The client has not shown who it is, and had to. */
  | { readonly kind: 'tlsAbandoned'; readonly client: string; readonly reason: string }
  | { readonly kind: 'tlsProxied'; readonly word: 'CONNECT' | 'DISCONNECT'; readonly client: string }
  | { readonly kind: 'tlsProxyFailed'; readonly service: string; readonly client: string };

function trustWord(tls: TlsFacts): string {
  if (tls.peer === undefined) return 'Anonymous';
  return isTrusted(tls) ? 'Trusted' : 'Untrusted';
}

function accepted(client: string, tls: TlsFacts): string {
  const { cipher, own, other } = tlsWords(tls);
  const name = tls.serverName === '' ? '' : ` to ${tls.serverName}`;
  const words = [cipher, own, other].filter((part) => part !== '').join(' ');
  return `${trustWord(tls)} TLS connection established from ${client}${name}: ${words}`;
}

/** Reasons that are about the kind of certificate stand behind other words than those about its chain. */
function unverified(client: string, problem: string): string {
  const word = /^certificate (?:has expired|not yet valid)/.test(problem) ? 'client certificate' : 'certificate';
  return `${word} verification failed for ${client}: ${problem}`;
}

export const tlsRenderings: Renderings<TlsEvent> = {
  tlsSetUp: ({ client }) => `setting up TLS connection from ${client}`,
  tlsCiphers: ({ client, list }) => `${client}: TLS cipher list "${list}"`,
  tlsEngine: () => 'initializing the server-side TLS engine',
  tlsVerified: ({ client, depth, isGood, subject }) =>
    `${client}: depth=${depth} verify=${isGood ? 1 : 0} subject=${subject}`,
  tlsState: ({ state }) => (state.startsWith('SSL3 alert ') ? state : `SSL_accept:${state}`),
  tlsNameUnmatched: ({ client, serverName }) => `TLS SNI ${serverName} from ${client} not matched, using default chain`,
  tlsUnverified: ({ client, problem }) => unverified(client, problem),
  tlsPeer: ({ client, peer }) =>
    `${client}: subject_CN=${peer.commonName}, issuer=${peer.issuerName}, fingerprint=${peer.fingerprint}, pkey_fingerprint=${peer.keyFingerprint}`,
  tlsPeerName: ({ whose, name }) => `${whose}=${name}`,
  tlsResumed: ({ client, byTicket }) => `${client}: Reusing old session${byTicket ? ' (RFC 5077 session ticket)' : ''}`,
  tlsRefused: ({ client, reason }) => `SSL_accept error from ${client}: ${reason}`,
  tlsAccepted: ({ client, tls }) => accepted(client, tls),
  tlsAbandoned: ({ client, reason }) => `NOQUEUE: abort: TLS from ${client}: ${reason}`,
  tlsProxied: ({ word, client }) => `${word} ${word === 'CONNECT' ? 'from ' : ''}${client}`,
  tlsProxyFailed: ({ service, client }) => `TLS handshake failed for service=${service} peer=${client}`,
};
