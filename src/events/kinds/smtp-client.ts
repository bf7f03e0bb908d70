/** What the SMTP and LMTP client says beside the outcome of each recipient. smtp(8) */
import { type TlsFacts, tlsWords } from '#message';
import type { Renderings } from '../event.ts';

export type SmtpClientEvent =
  /** A server could not be reached, or turned us away; others may follow. */
  | { readonly kind: 'hostSkipped'; readonly queueId: string; readonly reason: string }
  | { readonly kind: 'lineBroken'; readonly queueId: string; readonly limit: number }
  | {
      readonly kind: 'pixWorkarounds';
      readonly queueId: string;
      readonly names: readonly string[];
      readonly server: string;
    }
  /** smtp_header_checks and its kin. */
  | {
      readonly kind: 'outputCheck';
      readonly queueId: string;
      readonly action: string;
      readonly part: 'header' | 'body';
      readonly content: string;
      readonly text: string;
    }
  /** smtp_reply_filter */
  | { readonly kind: 'replyReplaced'; readonly server: string; readonly line: string; readonly by: string }
  | { readonly kind: 'starttlsOffered'; readonly host: string }
  | {
      readonly kind: 'tlsEstablished';
      readonly trust: 'Anonymous' | 'Untrusted' | 'Trusted' | 'Verified';
      readonly server: string;
      readonly tls: TlsFacts;
    }
  /** The server has not shown who it is, and had to. */
  | {
      readonly kind: 'tlsServerUnverified';
      readonly server: string;
      readonly problem: string;
      /** It is about those who vouch for the server. */
      readonly isOfAuthority?: boolean;
    }
  | { readonly kind: 'tlsFailed'; readonly server: string; readonly reason: string };

/** As much of a checked line as the log shows. */
const shownBytes = 60;

export const smtpClientRenderings: Renderings<SmtpClientEvent> = {
  hostSkipped: ({ queueId, reason }) => (queueId === '' ? reason : `${queueId}: ${reason}`),
  lineBroken: ({ queueId, limit }) => `${queueId}: breaking line > ${limit} bytes with <CR><LF>SPACE`,
  pixWorkarounds: ({ queueId, names, server }) =>
    `${queueId}: enabling PIX workarounds: ${names.join(' ')} for ${server}`,
  outputCheck: ({ queueId, action, part, content, text }) =>
    `${queueId}: ${action}: ${part} ${content.slice(0, shownBytes)}${text === '' ? '' : `: ${text}`}`,
  replyReplaced: ({ server, line, by }) => `${server}: replacing server reply "${line}" with "${by}"`,
  starttlsOffered: ({ host }) => `Host offered STARTTLS: [${host}]`,
  tlsEstablished: ({ trust, server, tls }) => {
    const { cipher, own, other } = tlsWords(tls);
    const words = [cipher, own, other].filter((part) => part !== '').join(' ');
    return `${trust} TLS connection established to ${server}: ${words}`;
  },
  tlsServerUnverified: ({ server, problem, isOfAuthority = false }) => {
    const isOfServer = /^(?:certificate (?:has expired|not yet valid)|num=)/.test(problem);
    const word = isOfAuthority ? 'CA certificate' : isOfServer ? 'server certificate' : 'certificate';
    return `${word} verification failed for ${server}: ${problem}`;
  },
  tlsFailed: ({ server, reason }) => `SSL_connect error to ${server}: ${reason}`,
};
