/**
 * A service that begins with its first client, as master(8) starts smtpd: what its tables and settings give to complain
 * about is said then. One without complaints is made before, so that its first client needs not wait for that.
 */
import { ConfigError } from '#config';
import type { EventChannel, HeldEvents } from '#events';
import type { SmtpService } from './server.ts';

interface LateServiceOptions {
  /** Says in `held` what it has to say. */
  readonly make: () => SmtpService;
  /** Says it at once, also what `make` has said before. */
  readonly makeAnew: () => SmtpService;
  readonly held: HeldEvents;
  /** Where it is said that it can't be made. */
  readonly events: EventChannel;
}

export function createLateService({ make, makeAnew, held, events }: LateServiceOptions): SmtpService {
  let service = makeInSilence(make, held);
  return {
    accept(socket, known) {
      held.release();
      try {
        service ??= makeAnew();
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

/** Undefined when there is something to say: by the time of the first client it may be otherwise. */
function makeInSilence(make: () => SmtpService, held: HeldEvents): SmtpService | undefined {
  if (!held.isEmpty) return undefined;
  try {
    const service = make();
    if (held.isEmpty) return service;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
  held.drop();
  return undefined;
}
