/** A content filter in front of the queue: where it is and how it is talked to. postconf(5) smtpd_proxy_filter */
import { readFileSync } from 'node:fs';
import { ConfigError, type Settings } from '#config';

export type FilterEndpoint =
  | { readonly kind: 'unix'; readonly path: string }
  /** `port` undefined: a name that services(5) does not know. */
  | { readonly kind: 'inet'; readonly host: string; readonly port: number | undefined };

export interface FilterSettings {
  /** As configured, for the log. */
  readonly name: string;
  readonly endpoint: FilterEndpoint;
  /** smtpd_proxy_ehlo */
  readonly ehloName: string;
  /** smtpd_proxy_timeout: for the connection, for each reply, for each write. */
  readonly timeoutMs: number;
  /** speed_adjust: the filter is connected to when the whole message is here. */
  readonly isDelayed: boolean;
  /** Bound on a line of the filter's. line_length_limit */
  readonly lineLengthLimit: number;
  /** Where a message that waits for the filter may go. */
  readonly spoolDirectory: string;
}

/** Undefined: mail goes into the queue at once. */
export function compileFilter(settings: Settings): FilterSettings | undefined {
  const name = settings.string('smtpd_proxy_filter');
  if (name === '') return undefined;
  const options = settings.list('smtpd_proxy_options');
  const unknown = options.find((option) => option !== 'speed_adjust');
  if (unknown !== undefined) {
    throw new ConfigError([`smtpd_proxy_options: unknown option "${unknown}"; known is speed_adjust`]);
  }
  const queueDirectory = settings.string('queue_directory');
  return {
    name,
    endpoint: parseEndpoint(name, queueDirectory),
    ehloName: settings.string('smtpd_proxy_ehlo'),
    timeoutMs: settings.timerMs('smtpd_proxy_timeout'),
    isDelayed: options.includes('speed_adjust'),
    lineLengthLimit: settings.int('line_length_limit'),
    spoolDirectory: `${queueDirectory}/private`,
  };
}

/** `unix:path`, or `inet:` (which may be left out) with `host:port`, `[address]:port` or `port`. */
function parseEndpoint(name: string, queueDirectory: string): FilterEndpoint {
  const path = /^unix:(.*)$/i.exec(name)?.[1];
  if (path !== undefined) return { kind: 'unix', path: path.startsWith('/') ? path : `${queueDirectory}/${path}` };
  const target = name.replace(/^inet:/i, '');
  const [, literal, host, port = target] = /^(?:\[([^\]]+)\]|([^:]*)):([^:]+)$/.exec(target) ?? [];
  const given = literal ?? host ?? '';
  return { kind: 'inet', host: given === '' ? 'localhost' : given, port: portOf(port) };
}

function portOf(service: string): number | undefined {
  if (/^\d+$/.test(service)) return Number(service) > 65535 ? undefined : Number(service);
  let text: string;
  try {
    text = readFileSync('/etc/services', 'utf8');
  } catch {
    // no names of services on this machine: told of at the first connection
    return undefined;
  }
  for (const line of text.split('\n')) {
    const [known, port = '', ...aliases] = line.replace(/#.*$/, '').trim().split(/\s+/);
    if (port.endsWith('/tcp') && (known === service || aliases.includes(service))) return Number.parseInt(port, 10);
  }
  return undefined;
}
