/** Where the configuration is: `-c DIR`, MAIL_CONFIG, or /etc/postfix. postconf(1) */

export const defaultConfigDirectory = '/etc/postfix';

/** The configuration directory for a command. */
export function findConfigDirectory(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const fromEnvironment = env['MAIL_CONFIG'];
  return option ?? (fromEnvironment === undefined || fromEnvironment === '' ? defaultConfigDirectory : fromEnvironment);
}
