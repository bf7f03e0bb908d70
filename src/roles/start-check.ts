/** Services that start though nobody can be served: told at the start, where somebody looks. */
import type { Configuration } from '#config';
import { serviceProblem } from '#smtpd';

/** An open relay and the like, one line a service. postconf(5) smtpd_relay_restrictions */
export function unusableServices({
  services,
  settingsFor,
}: Pick<Configuration, 'services' | 'settingsFor'>): readonly string[] {
  return services.flatMap((entry) => {
    const problem = entry.command === 'smtpd' ? serviceProblem(settingsFor(entry)) : undefined;
    if (problem === undefined) return [];
    const { origin, name, type } = entry;
    return [`${origin.file}, line ${origin.line}: service ${name}/${type}: ${problem.fatal}`];
  });
}
