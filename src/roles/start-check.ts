/** What starts though it can't work: told at the start, where somebody looks. */
import { type Configuration, ConfigError, placeOf, placeOfService, type ServiceEntry, type Settings } from '#config';
import { type MailboxLimit, mailboxLimitProblem } from '#delivery';
import { readPipeSettings } from '#delivery/pipe';
import { loginProblem } from '#delivery/smtp';
import { faultyRestrictions, faultyRewriteClients, serviceProblem } from '#smtpd';

type Where = Pick<Configuration, 'services' | 'settingsFor'>;

/** An open relay, mailboxes smaller than messages and the like, one line a service. postconf(5) smtpd_relay_restrictions */
export function unusableServices({ services, settingsFor }: Where): readonly string[] {
  return services.flatMap((entry) => {
    const problem = problemOf(entry, () => settingsFor(entry));
    return problem === undefined ? [] : [`${placeOfService(entry)}${problem}`];
  });
}

function problemOf(entry: ServiceEntry, settings: () => Settings): string | undefined {
  switch (entry.command) {
    case 'smtpd':
      return serviceProblem(settings())?.fatal;
    case 'local':
      return tooSmall(settings(), 'mailbox_size_limit');
    case 'virtual':
      return tooSmall(settings(), 'virtual_mailbox_limit');
    case 'smtp':
    case 'lmtp':
      return stopped(loginProblem(settings(), entry.command));
    case 'pipe':
      return privilegedPipe(entry, settings());
    default:
      return undefined;
  }
}

/** A user that is not there is told of with what else is absent, where the service is used. */
function privilegedPipe(entry: ServiceEntry, settings: Settings): string | undefined {
  try {
    const { refusal, isUserKnown } = readPipeSettings(entry, settings, process.getuid?.() === 0);
    return refusal === undefined || !isUserKnown ? undefined : `${refusal}; as it stands, all its mail is deferred`;
  } catch (error) {
    // the start is refused for it
    if (error instanceof ConfigError) return undefined;
    throw error;
  }
}

function tooSmall(settings: Settings, parameter: MailboxLimit): string | undefined {
  return stopped(mailboxLimitProblem(settings, parameter));
}

function stopped(problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : `${problem}; as it stands, all its mail is deferred`;
}

const restrictionLists = ['client', 'helo', 'sender', 'relay', 'recipient', 'data', 'end_of_data', 'etrn'].map(
  (stage) => `smtpd_${stage}_restrictions`,
);

function faultyIn(settings: Settings): readonly string[] {
  const classes = settings.list('smtpd_restriction_classes');
  const found = [...restrictionLists, ...classes].flatMap((parameter) =>
    faultyRestrictions(settings.elements(parameter), classes).map((fault) => ({ parameter, ...fault })),
  );
  const ofHeaders = faultyRewriteClients(settings).map((fault) => ({
    parameter: 'local_header_rewrite_clients',
    ...fault,
  }));
  return [...found, ...ofHeaders].map(({ parameter, element, problem, isSkipped }) => {
    const told = `${placeOf(element.origin)}${parameter}: ${problem}${problem.endsWith('?') ? '' : ';'}`;
    return `${told} as it stands, ${isSkipped ? 'it changes nothing' : 'clients are answered 451 4.3.5'}`;
  });
}

/** Misspelt restrictions and requests, and those without what they need; one line each. */
export function misspeltRestrictions({ services, settingsFor }: Where): readonly string[] {
  const smtpd = services.filter((entry) => entry.command === 'smtpd');
  return [...new Set(smtpd.flatMap((entry) => faultyIn(settingsFor(entry))))];
}
