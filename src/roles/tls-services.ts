/** The services that speak TLS to clients. */
import type { Configuration } from '#config';
import { smtpdParameters, type TlsService } from '#tls';

export function tlsServices({
  services,
  settingsFor,
}: Pick<Configuration, 'services' | 'settingsFor'>): readonly TlsService[] {
  return services
    .filter(({ command }) => command === 'smtpd')
    .map((entry) => ({ settings: settingsFor(entry), names: smtpdParameters }));
}
