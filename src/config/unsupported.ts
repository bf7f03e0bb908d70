/**
 * What Posthorn does not do yet and must not ignore: settings that would change what happens to mail. They refuse the
 * start; the list shrinks as features arrive.
 */
import type { ServiceEntry, Settings } from './settings.ts';

interface Refusal {
  readonly name: string;
  readonly applies: (value: string) => boolean;
  readonly what: string;
}

const isOn = (value: string): boolean => value.toLowerCase() === 'yes';
const isGiven = (value: string): boolean => value !== '';
const demandsTls = (value: string): boolean => !['', 'none', 'may'].includes(value.toLowerCase());

const refusals: readonly Refusal[] = [
  { name: 'smtpd_tls_security_level', applies: demandsTls, what: 'TLS in the SMTP server' },
  { name: 'smtpd_tls_wrappermode', applies: isOn, what: 'TLS in the SMTP server' },
  { name: 'smtpd_enforce_tls', applies: isOn, what: 'TLS in the SMTP server' },
  { name: 'postscreen_tls_security_level', applies: demandsTls, what: 'TLS in postscreen' },
  { name: 'postscreen_enforce_tls', applies: isOn, what: 'TLS in postscreen' },
  { name: 'smtpd_sasl_auth_enable', applies: isOn, what: 'SASL login' },
  { name: 'smtpd_milters', applies: isGiven, what: 'milters' },
  { name: 'non_smtpd_milters', applies: isGiven, what: 'milters' },
];

/** Settings that allow what is not there: mail is handled, without it. */
const offers: readonly Refusal[] = [
  {
    name: 'smtpd_tls_security_level',
    applies: (value) => value.toLowerCase() === 'may',
    what: 'TLS in the SMTP server',
  },
];

/** Programs of master.cf that do nothing here because their work is inside the one process, or that are understood. */
const knownPrograms = new Set(
  (
    'anvil bounce cleanup discard error flush lmtp local pickup pipe proxymap qmgr oqmgr scache showq smtp smtpd ' +
    'tlsmgr trivial-rewrite verify virtual postlogd dnsblog tlsproxy nbdb_reindexd postscreen spawn'
  ).split(' '),
);
const refusedPrograms: Readonly<Record<string, string>> = { qmqpd: 'QMQP' };

function place(settings: Settings, name: string): string {
  const origin = settings.origin(name);
  return origin === undefined ? '' : `${origin.file}, line ${origin.line}: `;
}

type Views = readonly Settings[];

/** Where settings may differ: main.cf, and each service with `-o` of its own. */
function viewsOf(settings: Settings, services: readonly ServiceEntry[], of: (entry: ServiceEntry) => Settings): Views {
  return [settings, ...services.filter((entry) => entry.overrides.size > 0).map(of)];
}

function applying(views: Views, rows: readonly Refusal[], rest: (what: string) => string): readonly string[] {
  return views.flatMap((view) =>
    rows
      .filter(({ name, applies }) => applies(view.string(name)))
      .map(({ name, what }) => `${place(view, name)}${name} = ${view.string(name)}: ${rest(what)}`),
  );
}

/** What is allowed and not there, one text each. */
export function findUnoffered(
  settings: Settings,
  services: readonly ServiceEntry[],
  settingsFor: (entry: ServiceEntry) => Settings,
): readonly string[] {
  const rest = (what: string): string => `${what} is not in this version; clients are served without it`;
  return [...new Set(applying(viewsOf(settings, services, settingsFor), offers, rest))];
}

/** Problems, one text each; none when all is supported. */
export function findUnsupported(
  settings: Settings,
  services: readonly ServiceEntry[],
  settingsFor: (entry: ServiceEntry) => Settings,
): readonly string[] {
  const rest = (what: string): string =>
    `${what} is not in this version; remove the setting or the service, or mail would not be handled as it says`;
  const values = applying(viewsOf(settings, services, settingsFor), refusals, rest);
  const programs = services.flatMap(({ name, type, command, origin }) => {
    if (knownPrograms.has(command)) return [];
    const what = refusedPrograms[command];
    const reason = what === undefined ? `unknown program "${command}"` : `${what} is not in this version`;
    return [
      `${origin.file}, line ${origin.line}: service ${name}/${type}: ${reason}; remove or comment out the service`,
    ];
  });
  return [...new Set([...values, ...programs])];
}
