/** What would keep the system from starting though its files are well-formed; asked before anything is started. */
import type { Configuration } from '#config';
import { relayProblem } from '#smtpd';

/** An open relay; undefined when nothing is wrong. postconf(5) smtpd_relay_restrictions */
export function systemProblem(configuration: Configuration): string | undefined {
  for (const entry of configuration.services.filter((service) => service.command === 'smtpd')) {
    const settings = configuration.settingsFor(entry);
    const problem = relayProblem((name) => settings.elements(name), settings.list('smtpd_restriction_classes'));
    if (problem !== undefined)
      return `${entry.origin.file}, line ${entry.origin.line}: service ${entry.name}/${entry.type}: ${problem}`;
  }
  return undefined;
}
