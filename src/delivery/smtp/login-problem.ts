/** Logins that are wanted and can't be: smtp(8) delivers nothing then, rather than without them. */
import type { Settings } from '#config';
import type { ClientProtocol } from './settings.ts';

/** What is wrong with smtp_sasl_auth_enable beside smtp_sasl_password_maps; undefined: nothing. */
export function loginProblem(settings: Settings, protocol: ClientProtocol): string | undefined {
  const table = `${protocol}_sasl_password_maps`;
  if (!settings.bool(`${protocol}_sasl_auth_enable`) || settings.string(table) !== '') return undefined;
  return `specify a password table via the \`${table}' configuration parameter`;
}
