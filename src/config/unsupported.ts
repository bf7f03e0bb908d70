/**
 * What Posthorn does not do yet and must not ignore: settings that would change what happens to mail. They refuse the
 * start; the list shrinks as features arrive.
 */
import { placeOf, placeOfService } from './place.ts';
import { settingsViews } from './views.ts';
import type { Configuration, Settings } from './settings.ts';

interface Refusal {
  readonly name: string;
  readonly applies: (value: string, view: Settings) => boolean;
  readonly what: string;
}

const isOn = (value: string): boolean => value.toLowerCase() === 'yes';
const isGiven = (value: string): boolean => value !== '';

const refusals: readonly Refusal[] = [
  {
    name: 'smtpd_sasl_type',
    applies: (value, view) => !['cyrus', 'dovecot'].includes(value) && view.bool('smtpd_sasl_auth_enable'),
    what: 'such a way to log in (cyrus and dovecot are)',
  },
  ...['smtpd_milters', 'smtpd_milter_maps', 'non_smtpd_milters'].map((name) => ({
    name,
    applies: isGiven,
    what: 'filtering by milters',
  })),
];

/** Settings that allow what is not there: mail is handled, without it. */
const offers: readonly Refusal[] = [
  {
    name: 'smtpd_tls_enable_rpk',
    applies: isOn,
    what: 'showing who one is by a raw public key (RFC 7250) is not in this version; clients are served without it',
  },
  {
    name: 'non_bdb_migration_level',
    applies: (value) => value.toLowerCase() === 'enable-reindex',
    what: 'indexing redirected tables anew is not in this version; run postmap or postalias for those that are missing',
  },
];

/** Programs of master.cf that do nothing here because their work is inside the one process, or that are understood. */
const knownPrograms = new Set(
  (
    'anvil bounce cleanup discard error flush lmtp local pickup pipe proxymap qmgr oqmgr scache showq smtp smtpd ' +
    'tlsmgr trivial-rewrite verify virtual postlogd dnsblog tlsproxy nbdb_reindexd postscreen spawn'
  ).split(' '),
);
export const isKnownProgram = (command: string): boolean => knownPrograms.has(command);

const refusedPrograms: Readonly<Record<string, string>> = { qmqpd: 'QMQP' };

type Where = Pick<Configuration, 'settings' | 'services' | 'settingsFor'>;

/** The rows that apply somewhere: in main.cf, or in a service with `-o` of its own. */
function applying(where: Where, rows: readonly Refusal[], rest: (what: string) => string): readonly string[] {
  const views = settingsViews(where);
  const found = rows.flatMap(({ name, applies, what }) =>
    views
      .filter((view) => applies(view.string(name), view))
      .map((view) => `${placeOf(view.origin(name))}${name} = ${view.string(name)}: ${rest(what)}`),
  );
  return [...new Set(found)];
}

/** What is allowed and not there, one text each. */
export function findUnoffered(where: Where): readonly string[] {
  return applying(where, offers, (what) => what);
}

/** Problems, one text each; none when all is supported. */
export function findUnsupported(where: Where): readonly string[] {
  const rest = (what: string): string =>
    `${what} is not in this version; remove the setting or the service, or mail would not be handled as it says`;
  const values = applying(where, refusals, rest);
  const programs = where.services.flatMap((entry) => {
    const { command } = entry;
    if (isKnownProgram(command)) return [];
    const what = refusedPrograms[command];
    if (what !== undefined)
      return [`${placeOfService(entry)}${what} is not in this version; remove or comment out the service`];
    return [
      `${placeOfService(entry)}unknown program "${command}"; a script around one of Postfix's programs is not run: ` +
        'name the program itself, or comment out the service',
    ];
  });
  return [...new Set([...values, ...programs])];
}
