/** What the supervisor and the mail process tell each other over their private channel. */

/** From the supervisor to a mail process. */
export type ToMail =
  /** Stop accepting, finish what runs, exit. */
  | { readonly kind: 'drain' }
  /** Stop within seconds: sessions get 421. */
  | { readonly kind: 'stop' }
  /** A deliverer was started; its stream comes with the message. */
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

/** How a mail process is told where its files are: JSON in its argument. File descriptor 3 is the log, when there is one. */
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

/** Parses a message from a mail process; undefined for anything else. */
export function parseFromMail(value: unknown): FromMail | undefined {
  if (!isRecord(value)) return undefined;
  const { kind, problems, id, uid, gid } = value;
  if (kind === 'ready') return { kind };
  if (kind === 'failed' && Array.isArray(problems)) return { kind, problems: problems.map(String) };
  if (kind === 'killDeliverer' && typeof id === 'number') return { kind, id };
  if (kind === 'startDeliverer' && typeof id === 'number' && typeof uid === 'number' && typeof gid === 'number') {
    return { kind, id, uid, gid };
  }
  return undefined;
}

/** Parses a message from the supervisor; undefined for anything else. */
export function parseToMail(value: unknown): ToMail | undefined {
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
