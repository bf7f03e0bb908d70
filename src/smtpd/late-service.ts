/**
 * A service that is made when its first client comes, as master(8) starts smtpd: what its tables and settings give to
 * complain about is said then.
 */
import { ConfigError } from '#config';
import type { EventChannel } from '#events';
import type { SmtpService } from './server.ts';

export function createLateService(make: () => SmtpService, events: EventChannel): SmtpService {
  let service: SmtpService | undefined;
  return {
    accept(socket, known) {
      try {
        service ??= make();
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        events.emit({ kind: 'fatal', text: error.message });
        socket.destroy();
        return;
      }
      service.accept(socket, known);
    },
    sessionsEnd: async () => service?.sessionsEnd(),
    drain: async () => service?.drain(),
  };
}
