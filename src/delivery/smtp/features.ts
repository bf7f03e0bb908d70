/** What a server announces in its answer to EHLO or LHLO (RFC 5321, 4.1.1.1). */
import type { Reply } from './reply.ts';

export interface ServerFeatures {
  readonly pipelining: boolean;
  readonly eightBitMime: boolean;
  readonly dsn: boolean;
  readonly smtpUtf8: boolean;
  readonly startTls: boolean;
  /** REQUIRETLS was announced, inside TLS, and the message asks for it. RFC 8689 */
  readonly requireTls: boolean;
  /** SASL mechanisms, upper case. */
  readonly auth: readonly string[];
  /** SIZE was announced; `sizeLimit` 0: without a limit. */
  readonly size: boolean;
  readonly sizeLimit: number;
  /** Attributes of XFORWARD, upper case. */
  readonly xforward: readonly string[];
  /** First word of the first line. */
  readonly serverName: string;
}

export const noFeatures: ServerFeatures = {
  pipelining: false,
  eightBitMime: false,
  dsn: false,
  smtpUtf8: false,
  startTls: false,
  requireTls: false,
  auth: [],
  size: false,
  sizeLimit: 0,
  xforward: [],
  serverName: '',
};

const upper = (words: readonly string[] = []): readonly string[] => words.map((word) => word.toUpperCase());

/** Reads an EHLO reply; keywords in `ignored` (upper case) count as not said. */
export function parseFeatures(
  reply: Reply,
  ignored: readonly string[],
  onBadSize: (word: string) => void,
): ServerFeatures {
  const [greeting = '', ...lines] = reply.text.split('\n').map((line) => line.slice(4).trim());
  const keywords = new Map<string, readonly string[]>();
  for (const line of lines) {
    const [name = '', ...values] = line.split(/[\s=]+/);
    const keyword = name.toUpperCase();
    if (!ignored.includes(keyword)) keywords.set(keyword, [...(keywords.get(keyword) ?? []), ...values]);
  }
  const limit = keywords.get('SIZE')?.[0];
  if (limit !== undefined && !/^\d+$/.test(limit)) onBadSize(limit);
  return {
    pipelining: keywords.has('PIPELINING'),
    eightBitMime: keywords.has('8BITMIME'),
    dsn: keywords.has('DSN'),
    smtpUtf8: keywords.has('SMTPUTF8'),
    startTls: keywords.has('STARTTLS'),
    requireTls: keywords.has('REQUIRETLS'),
    auth: upper(keywords.get('AUTH')),
    size: keywords.has('SIZE'),
    sizeLimit: limit !== undefined && /^\d+$/.test(limit) ? Number(limit) : 0,
    xforward: upper(keywords.get('XFORWARD')),
    serverName: greeting.split(/\s+/)[0] ?? '',
  };
}
