/**
 * What the supervisor and the mail process tell each other over their private channel: a line of JSON for each message.
 * The mail process is not trusted: a message of its own is bounded and checked, and anything else is its end.
 */

/** From the supervisor to a mail process. */
export type ToMail =
  /** Stop accepting, finish what runs, exit. */
  | { readonly kind: 'drain' }
  /** Stop within seconds: sessions get 421. */
  | { readonly kind: 'stop' }
  /** A deliverer was started; its stream is the next that was handed on. */
  | { readonly kind: 'deliverer'; readonly id: number }
  | { readonly kind: 'delivererFailed'; readonly id: number; readonly reason: string }
  /** An older mail process has ended: what it held is free. */
  | { readonly kind: 'generationEnded' }
  /** The log file may be another: the reload may be the one of `postfix logrotate`. */
  | { readonly kind: 'reopenLog' };

/** From a mail process to the supervisor. */
export type FromMail =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly problems: readonly string[] }
  | { readonly kind: 'startDeliverer'; readonly id: number; readonly uid: number; readonly gid: number }
  /** The one that was asked for with this id gives no sign of life. */
  | { readonly kind: 'killDeliverer'; readonly id: number };

/** Bytes of a message. */
export const longestMessage = 65_536;

/** Descriptors of a mail process. 0 to 2 are standard; over `handed` it is given descriptors, and `firstListener` and on are its sockets. */
export const mailDescriptors = { log: 3, channel: 4, handed: 5, firstListener: 6 } as const;

/** How a mail process is told where its files are: JSON in its argument. */
export interface MailStart {
  readonly directory: string;
  readonly hasLogFile: boolean;
  readonly uid?: number;
  readonly gid?: number;
  readonly listeners: readonly {
    readonly service: string;
    readonly address: string;
    readonly port: number;
    readonly fd: number;
  }[];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no JSON is no message
  }
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0;
/** Of a user or group; the largest number stands for no user at all. setuid(2) */
const isUserNumber = (value: unknown): value is number => isCount(value) && value < 0xffff_ffff;

/** Parses a line of a mail process; undefined for anything else. */
export function parseFromMail(line: string): FromMail | undefined {
  const value = parseJson(line);
  if (!isRecord(value)) return undefined;
  const { kind, problems, id, uid, gid } = value;
  if (kind === 'ready') return { kind };
  if (kind === 'failed' && Array.isArray(problems) && problems.every((text) => typeof text === 'string'))
    return { kind, problems };
  if (kind === 'killDeliverer' && isCount(id)) return { kind, id };
  if (kind === 'startDeliverer' && isCount(id) && isUserNumber(uid) && isUserNumber(gid)) {
    return { kind, id, uid, gid };
  }
  return undefined;
}

const line = (message: FromMail | ToMail): string => `${JSON.stringify(message)}\n`;

/** Of many problems those that a message has room for. */
export function lineFromMail(message: FromMail): string {
  const whole = line(message);
  if (message.kind !== 'failed' || Buffer.byteLength(whole) <= longestMessage) return whole;
  const { kind, problems } = message;
  const [first = ''] = problems;
  return problems.length > 1
    ? lineFromMail({ kind, problems: problems.slice(0, problems.length >> 1) })
    : lineFromMail({ kind, problems: [first.slice(0, first.length >> 1)] });
}

export const lineToMail: (message: ToMail) => string = line;

/** Parses a line of the supervisor; undefined for anything else. */
export function parseToMail(text: string): ToMail | undefined {
  const value = parseJson(text);
  if (!isRecord(value)) return undefined;
  const { kind, id, reason } = value;
  if (kind === 'drain' || kind === 'stop' || kind === 'generationEnded' || kind === 'reopenLog') return { kind };
  if (kind === 'deliverer' && typeof id === 'number') return { kind, id };
  if (kind === 'delivererFailed' && typeof id === 'number' && typeof reason === 'string') return { kind, id, reason };
  return undefined;
}

/** Parses the start argument; undefined for anything else. */
export function parseMailStart(text: string): MailStart | undefined {
  const value: unknown = JSON.parse(text);
  if (!isRecord(value)) return undefined;
  const { directory, hasLogFile, uid, gid, listeners } = value;
  if (typeof directory !== 'string' || typeof hasLogFile !== 'boolean' || !Array.isArray(listeners)) return undefined;
  const list = listeners.flatMap((entry: unknown) => {
    if (!isRecord(entry)) return [];
    const { service, address, port, fd } = entry;
    return typeof service === 'string' &&
      typeof address === 'string' &&
      typeof port === 'number' &&
      typeof fd === 'number'
      ? [{ service, address, port, fd }]
      : [];
  });
  return {
    directory,
    hasLogFile,
    listeners: list,
    ...(typeof uid === 'number' && typeof gid === 'number' ? { uid, gid } : {}),
  };
}
