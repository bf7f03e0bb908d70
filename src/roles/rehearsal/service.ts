/** Which smtpd service of master.cf a rehearsal is of. */
import { ConfigError, type Configuration, type ServiceEntry } from '#config';

/** A service's name as people say it: `smtp`, `smtp/inet`, `127.0.0.1:10025/inet`, or only its port. */
function isCalled({ name, type }: ServiceEntry, wanted: string): boolean {
  return name === wanted || `${name}/${type}` === wanted || name.endsWith(`:${wanted}`);
}

/** The service by its name; the one of port 25 when nobody names one. Throws ConfigError when there is none. */
export function findService({ services, directory }: Configuration, wanted: string | undefined): ServiceEntry {
  const candidates = services.filter(({ command }) => command === 'smtpd');
  // whoever passes postscreen talks to the smtpd behind it
  const behindPostscreen = candidates.find(({ type }) => type === 'pass');
  const isAsked = (entry: ServiceEntry): boolean =>
    wanted === undefined ? isCalled(entry, 'smtp') || isCalled(entry, '25') : isCalled(entry, wanted);
  const called = services.find(
    (entry) => isAsked(entry) && (entry.command === 'smtpd' || entry.command === 'postscreen'),
  );
  const served = called?.command === 'postscreen' ? behindPostscreen : called;
  const first = candidates.find(({ type }) => type === 'inet') ?? candidates[0];
  const found = served ?? (wanted === undefined ? first : undefined);
  if (found !== undefined) return found;
  const names = candidates.map(({ name, type }) => `${name}/${type}`).join(', ');
  throw new ConfigError([
    wanted === undefined || names === ''
      ? `${directory}/master.cf has no smtpd service`
      : `${directory}/master.cf has no smtpd service ${wanted}; it has ${names}`,
  ]);
}
