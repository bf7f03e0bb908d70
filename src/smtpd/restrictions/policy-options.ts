/** The argument of check_policy_service: a server, or a server with settings in braces. postconf(5), SMTPD_POLICY_README */
import { parseTime, splitListWithIndex, type Settings } from '#config';

export interface PolicyServerOptions {
  readonly target: string;
  readonly timeoutMs: number;
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

export function readPolicyServer(argument: string, settings: Settings): PolicyServerOptions {
  const [target = '', ...pairs] = elementsOf(argument);
  const options = new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
    }),
  );
  const timeout = parseTime(options.get('timeout') ?? '', 's');
  return {
    target,
    timeoutMs: timeout === undefined ? settings.ms('smtpd_policy_service_timeout') : timeout * 1000,
    defaultAction: options.get('default_action') ?? settings.string('smtpd_policy_service_default_action'),
    context: options.get('policy_context') ?? settings.string('smtpd_policy_service_policy_context'),
  };
}
