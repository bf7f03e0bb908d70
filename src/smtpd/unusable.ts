/** A service that nobody can be served with: each connection ends at once, and the log says why. smtpd(8) */
import type { EventChannel } from '#events';
import type { ServiceProblem } from './restrictions/start.ts';
import type { ServedSocket, SmtpService } from './server.ts';

export function createUnusableService({ warnings, fatal }: ServiceProblem, events: EventChannel): SmtpService {
  return {
    accept(socket: ServedSocket) {
      for (const text of warnings) events.emit({ kind: 'warning', text });
      events.emit({ kind: 'fatal', text: fatal });
      socket.destroy();
    },
    sessionsEnd: async () => {},
    drain: async () => {},
  };
}
