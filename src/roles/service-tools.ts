/** What every service of the mail process is given: its settings, its name in the log, its tables, the time. */
import type { Configuration, Settings } from '#config';
import { type SystemResolver, systemResolver } from '#dns';
import type { EventChannel, EventLog, HeldEvents } from '#events';
import { noCopies, TableOpener, type TableCopies } from '#tables';

/** The tables of a service and its channel: what it opens is warned of in its name. */
export interface OpenedService {
  readonly tables: TableOpener;
  readonly events: EventChannel;
}

export interface ServiceTools {
  readonly configuration: Configuration;
  /** The log tag of a service: `-o syslog_name`, then the program. */
  readonly channelOf: (view: Settings, program: string) => EventChannel;
  /** `held`: where its events wait until somebody wants to hear them. */
  readonly openerFor: (program: string, view: Settings, held?: HeldEvents) => OpenedService;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** `copies`: of tables that only root may read. */
export function createServiceTools(
  configuration: Configuration,
  log: EventLog,
  copies: TableCopies = noCopies,
): ServiceTools {
  const { settings, directory } = configuration;
  const channelOf = (view: Settings, program: string): EventChannel =>
    log.channel(`${view.string('syslog_name')}/${program}`);
  return {
    configuration,
    channelOf,
    openerFor(program, view, held) {
      const through = (channel: EventChannel): EventChannel => held?.channelTo(channel) ?? channel;
      const events = through(channelOf(view, program));
      const proxyEvents = through(channelOf(settings, 'proxymap'));
      const tables = new TableOpener({
        settings: view,
        configDirectory: directory,
        warn: warningsTo(events),
        error: (text) => events.emit({ kind: 'error', text }),
        note: (text) => events.emit({ kind: 'note', text }),
        copies,
        proxySettings: settings,
        proxyWarn: warningsTo(proxyEvents),
        // smtpd opens its tables when the first client comes; for others the first message does it.
        isLate: program !== 'smtpd',
      });
      return { tables, events };
    },
    now: () => Date.now(),
  };
}

/** A function that warns in the name of a channel. */
export function warningsTo(events: EventChannel): (text: string) => void {
  return (text) => events.emit({ kind: 'warning', text });
}

/** A resolver of the service's own, so that it says in the service's name what it doesn't believe. */
export function resolverOf(events: EventChannel): SystemResolver {
  return systemResolver({ warn: warningsTo(events) });
}
