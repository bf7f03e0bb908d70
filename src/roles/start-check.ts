/** What starts though it can't work: told at the start, where somebody looks. */
import {
  type Configuration,
  ConfigError,
  placeOf,
  placeOfService,
  type ServiceEntry,
  type Settings,
  settingsViews,
} from '#config';
import { type MailboxLimit, mailboxLimitProblem } from '#delivery';
import { readPipeSettings } from '#delivery/pipe';
import { serviceProblem, faultyRestrictions } from '#smtpd';
import { transportParameters } from './misspelt-values.ts';

type Where = Pick<Configuration, 'services' | 'settings' | 'settingsFor'>;

/** Tells the services that a parameter names as a transport; tables may name others. */
function transportNames(configuration: Where): (service: string) => boolean {
  const views = settingsViews(configuration);
  const names = views.flatMap((view) => transportParameters.map((name) => view.string(name).split(':')[0]));
  return (service) => names.includes(service);
}

/** An open relay, mailboxes smaller than messages and the like, one line a service. postconf(5) smtpd_relay_restrictions */
export function unusableServices(configuration: Where): readonly string[] {
  const { services, settingsFor } = configuration;
  const isNamed = transportNames(configuration);
  return services.flatMap((entry) => {
    const problem = problemOf(entry, () => settingsFor(entry), isNamed);
    return problem === undefined ? [] : [`${placeOfService(entry)}${problem}`];
  });
}

function problemOf(
  entry: ServiceEntry,
  settings: () => Settings,
  isNamed: (service: string) => boolean,
): string | undefined {
  switch (entry.command) {
    case 'smtpd':
      return serviceProblem(settings())?.fatal;
    case 'local':
      return tooSmall(settings(), 'mailbox_size_limit');
    case 'virtual':
      return tooSmall(settings(), 'virtual_mailbox_limit');
    case 'pipe':
      return unusablePipe(entry, settings(), isNamed(entry.name));
    default:
      return undefined;
  }
}

/** Stock entries name users that few machines have: their absence counts where the service is used. */
function unusablePipe(entry: ServiceEntry, settings: Settings, isNamed: boolean): string | undefined {
  try {
    const { refusal, isUserKnown } = readPipeSettings(entry, settings, process.getuid?.() === 0);
    return refusal === undefined || !(isUserKnown || isNamed)
      ? undefined
      : `${refusal}; as it stands, all its mail is deferred`;
  } catch (error) {
    // the start is refused for it
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

function tooSmall(settings: Settings, parameter: MailboxLimit): string | undefined {
  const problem = mailboxLimitProblem(settings, parameter);
  return problem === undefined ? undefined : `${problem}; as it stands, all its mail is deferred`;
}

const restrictionLists = ['client', 'helo', 'sender', 'relay', 'recipient', 'data', 'end_of_data', 'etrn'].map(
  (stage) => `smtpd_${stage}_restrictions`,
);

function faultyIn(settings: Settings): readonly string[] {
  const classes = settings.list('smtpd_restriction_classes');
  return [...restrictionLists, ...classes].flatMap((parameter) =>
    faultyRestrictions(settings.elements(parameter), classes).map(({ element, problem, isSkipped }) => {
      const told = `${placeOf(element.origin)}${parameter}: ${problem}${problem.endsWith('?') ? '' : ';'}`;
      return `${told} as it stands, ${isSkipped ? 'it changes nothing' : 'clients are answered 451 4.3.5'}`;
    }),
  );
}

/** Misspelt restrictions, and those without what they need; one line each. */
export function misspeltRestrictions({ services, settingsFor }: Where): readonly string[] {
  const smtpd = services.filter((entry) => entry.command === 'smtpd');
  return [...new Set(smtpd.flatMap((entry) => faultyIn(settingsFor(entry))))];
}
