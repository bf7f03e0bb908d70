/** The argument of check_policy_service: a server, or a server with settings in braces. postconf(5), SMTPD_POLICY_README */
import { parseTime, splitListWithIndex, type Settings } from '#config';

export interface PolicyServerOptions {
  readonly target: string;
  readonly timeoutMs: number;
  /** A connection without requests is closed after this time, any connection after the next. */
  readonly maxIdleMs: number;
  readonly maxTtlMs: number;
  /** Requests over one connection; 0: any number. */
  readonly requestLimit: number;
  readonly tryLimit: number;
  readonly retryDelayMs: number;
  readonly defaultAction: string;
  readonly context: string;
}

/** `{ server, name = value, { name = value with blanks } }` into its elements. */
function elementsOf(argument: string): readonly string[] {
  if (!argument.startsWith('{')) return [argument];
  const inner = argument
    .slice(1, -1)
    .trim()
    .replaceAll(/\s*=\s*/g, '=');
  return splitListWithIndex(inner).map(({ text }) => text.replace(/^\{\s*([^]*?)\s*\}$/, '$1'));
}

const prefix = 'smtpd_policy_service_';

/** Settings that a server may have of its own: their names without the prefix. */
const times = [
  'smtpd_policy_service_timeout',
  'smtpd_policy_service_max_idle',
  'smtpd_policy_service_max_ttl',
  'smtpd_policy_service_retry_delay',
] as const;
const counts = ['smtpd_policy_service_request_limit', 'smtpd_policy_service_try_limit'] as const;
const texts = ['smtpd_policy_service_default_action', 'smtpd_policy_service_policy_context'] as const;
const names = new Set([...times, ...counts, ...texts].map((name) => name.slice(prefix.length)));

/** The options, or what is wrong with them. */
export function readPolicyServer(argument: string, settings: Settings): PolicyServerOptions | string {
  const [target = '', ...pairs] = elementsOf(argument);
  const given = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.indexOf('=');
    const name = pair.slice(0, Math.max(at, 0)).trim();
    if (!names.has(name)) return `${argument}: unknown attribute in "${pair}"`;
    given.set(prefix + name, pair.slice(at + 1).trim());
  }
  const problems: string[] = [];
  const ms = (name: (typeof times)[number]): number => {
    const own = given.get(name);
    if (own === undefined) return settings.timerMs(name);
    const seconds = parseTime(own, 's');
    if (seconds === undefined) problems.push(`${argument}: bad time "${own}"`);
    return (seconds ?? 0) * 1000;
  };
  const count = (name: (typeof counts)[number]): number => {
    const own = given.get(name);
    if (own === undefined) return settings.int(name);
    if (!/^\d+$/.test(own)) problems.push(`${argument}: bad number "${own}"`);
    return Number(own);
  };
  const text = (name: (typeof texts)[number]): string => given.get(name) ?? settings.string(name);
  const options: PolicyServerOptions = {
    target,
    timeoutMs: ms('smtpd_policy_service_timeout'),
    maxIdleMs: ms('smtpd_policy_service_max_idle'),
    maxTtlMs: ms('smtpd_policy_service_max_ttl'),
    requestLimit: count('smtpd_policy_service_request_limit'),
    tryLimit: count('smtpd_policy_service_try_limit'),
    retryDelayMs: ms('smtpd_policy_service_retry_delay'),
    defaultAction: text('smtpd_policy_service_default_action'),
    context: text('smtpd_policy_service_policy_context'),
  };
  return problems[0] ?? options;
}
