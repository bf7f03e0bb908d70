/** A content filter in front of the queue: where it is and how it is talked to. postconf(5) smtpd_proxy_filter */
import { badSetting, type PortOf, type Settings, tcpPorts } from '#config';

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
    throw badSetting(settings, 'smtpd_proxy_options', `unknown option "${unknown}"; known is speed_adjust`);
  }
  const queueDirectory = settings.string('queue_directory');
  return {
    name,
    endpoint: parseEndpoint(name, queueDirectory, tcpPorts(settings)),
    ehloName: settings.string('smtpd_proxy_ehlo'),
    timeoutMs: settings.timerMs('smtpd_proxy_timeout'),
    isDelayed: options.includes('speed_adjust'),
    lineLengthLimit: settings.int('line_length_limit'),
    spoolDirectory: `${queueDirectory}/private`,
  };
}

/** `unix:path`, or `inet:` (which may be left out) with `host:port`, `[address]:port` or `port`. */
function parseEndpoint(name: string, queueDirectory: string, portOf: PortOf): FilterEndpoint {
  const path = /^unix:(.*)$/i.exec(name)?.[1];
  if (path !== undefined) return { kind: 'unix', path: path.startsWith('/') ? path : `${queueDirectory}/${path}` };
  const target = name.replace(/^inet:/i, '');
  const [, literal, host, port = target] = /^(?:\[([^\]]+)\]|([^:]*)):([^:]+)$/.exec(target) ?? [];
  const given = literal ?? host ?? '';
  return { kind: 'inet', host: given === '' ? 'localhost' : given, port: portOf(port) };
}
