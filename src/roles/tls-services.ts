/** The services that speak TLS to clients. */
import type { Configuration } from '#config';
import { postscreenParameters, smtpdParameters, type TlsParameters, type TlsService } from '#tls';

/** By the program that they run. */
const parametersOf: ReadonlyMap<string, TlsParameters> = new Map([
  ['smtpd', smtpdParameters],
  ['postscreen', postscreenParameters],
]);

export function tlsServices({
  services,
  settingsFor,
}: Pick<Configuration, 'services' | 'settingsFor'>): readonly TlsService[] {
  return services.flatMap((entry) => {
    const names = parametersOf.get(entry.command);
    return names === undefined ? [] : [{ settings: settingsFor(entry), names }];
  });
}
