/** What the configuration needs outside of itself and is not there: certificates, keys, notice texts, users of commands, rights. */
import { statSync } from 'node:fs';
import {
  type Configuration,
  placeOf,
  placeOfService,
  type Settings,
  settingsViews,
  splitServiceArguments,
} from '#config';
import { getGroupByName, getUserByName } from '#native';
import { unreadable } from '#tables';
import { keyComplaints, type LevelParameters } from '#tls';
import { transportParameters } from './misspelt-values.ts';
import { type NamedService, tlsServices } from './tls-services.ts';

type Named = Pick<Configuration, 'services' | 'settings' | 'settingsFor'>;

function usesTls(settings: Settings, { securityLevel, use, enforce, wrapperMode, policies }: LevelParameters): boolean {
  if (!['', 'none'].includes(settings.string(securityLevel))) return true;
  if (policies !== undefined && settings.string(policies) !== '') return true;
  return [use, enforce, ...(wrapperMode === undefined ? [] : [wrapperMode])].some((name) => settings.bool(name));
}

/** What there is without TLS. */
const withoutTls = (isClient: boolean): string =>
  isClient ? 'there is no TLS for mail that leaves, and mail that needs it is deferred' : 'no client is offered TLS';

/** Files of a service's own certificate, and of authorities; without them there is no TLS. */
function missingKeys({ settings, names, isClient }: NamedService): readonly string[] {
  if (!usesTls(settings, names)) return [];
  const chains = settings.elements(names.chainFiles);
  const pairs = names.keyPairs.filter(([certificate]) => chains.length === 0 && settings.string(certificate) !== '');
  const named = [
    ...chains.map(({ text, origin }) => ({ parameter: names.chainFiles, path: text, origin })),
    // authorities also where nobody is asked for a certificate
    ...[...pairs.flatMap(([certificate, key]) => [certificate, key]), names.authorityFile].map((parameter) => ({
      parameter,
      path: settings.string(parameter),
      origin: settings.origin(parameter),
    })),
  ];
  return named.flatMap(({ parameter, path, origin }) => {
    const reason = path.startsWith('/') ? unreadable(path) : undefined;
    if (reason === undefined) return [];
    const isOnlyUnshown = isClient && parameter === names.chainFiles;
    const effect = isOnlyUnshown ? 'servers are not shown who we are' : withoutTls(isClient);
    return [`${placeOf(origin)}${parameter}: open ${path}: ${reason}; as it stands, ${effect}`];
  });
}

/** A server whose authority can't be read is not trusted. postconf(5) smtp_tls_trust_anchor_file */
function missingAnchors({ settings, names }: NamedService): readonly string[] {
  const parameter = names.trustAnchorFiles;
  if (parameter === undefined || !usesTls(settings, names)) return [];
  return settings.elements(parameter).flatMap(({ text, origin }) => {
    const reason = unreadable(text);
    const effect = 'as it stands, mail that needs the right server waits';
    return reason === undefined ? [] : [`${placeOf(origin)}${parameter}: open ${text}: ${reason}; ${effect}`];
  });
}

/** Keys that don't fit, and certificates whose time is over or has not come. */
function uselessKeys({ settings, names, isClient }: NamedService, now: number): readonly string[] {
  if (!usesTls(settings, names)) return [];
  return keyComplaints({ settings, names }, now).map(({ parameter, text, endsTls }) => {
    const effect = endsTls ? withoutTls(isClient) : `${isClient ? 'servers' : 'clients'} that check it go away`;
    return `${placeOf(settings.origin(parameter))}${parameter}: ${text}; as it stands, ${effect}`;
  });
}

/** Stock entries of master.cf name users that few machines have; only those that a parameter sends mail to are told of. */
function missingUsers(configuration: Named): readonly string[] {
  const used = settingsViews(configuration).flatMap((settings) =>
    transportParameters.map((parameter) => settings.string(parameter).split(':', 1)[0]),
  );
  return configuration.services
    .filter(({ command, name }) => command === 'pipe' && used.includes(name))
    .flatMap((entry) => {
      const [user = '', group = ''] = (splitServiceArguments(entry.args).attributes.get('user') ?? '').split(':');
      const missing = [
        ...(user === '' || getUserByName(user) !== undefined ? [] : [`user "${user}"`]),
        ...(group === '' || getGroupByName(group) !== undefined ? [] : [`group "${group}"`]),
      ];
      if (missing.length === 0) return [];
      const what = `user=: there is no ${missing.join(' and no ')}; as it stands, mail for it is deferred`;
      return [`${placeOfService(entry, 'pipe')}${what}`];
    });
}

/** A notice whose text can't be read is not sent. */
function missingTemplates({ settings }: Named): readonly string[] {
  const path = settings.string('bounce_template_file');
  const reason = path === '' ? undefined : unreadable(path);
  if (reason === undefined) return [];
  const place = placeOf(settings.origin('bounce_template_file'));
  return [`${place}bounce_template_file: open ${path}: ${reason}; as it stands, mail that bounces stays in the queue`];
}

/** Mailboxes and their locks are made with the rights of their users, or of root in a directory of its own. local(8) */
function closedSpool({ settings }: Named): readonly string[] {
  const goesElsewhere = ['home_mailbox', 'mailbox_command', 'mailbox_transport'].some(
    (name) => settings.string(name) !== '',
  );
  if (goesElsewhere || settings.string('mydestination') === '') return [];
  const directory = settings.string('mail_spool_directory');
  const facts = statSync(directory, { throwIfNoEntry: false });
  if (facts === undefined || facts.uid === 0 || (facts.mode & 0o022) !== 0) return [];
  const what = `only its owner may write in ${directory}; make it writable for its group, for example chmod 2775`;
  const effect = 'as it stands, local mail is returned where its user has no mailbox file, or locks are files';
  return [`${placeOf(settings.origin('mail_spool_directory'))}mail_spool_directory: ${what}; ${effect}`];
}

/** One line each. */
export function absentParts(configuration: Named, now: number): readonly string[] {
  const keys = tlsServices(configuration).flatMap((service) => [
    ...missingKeys(service),
    ...missingAnchors(service),
    ...uselessKeys(service, now),
  ]);
  // two services have their parameters from each other
  const byFile = new Map(keys.toReversed().map((text) => [text.replace(/^.*?_tls_\w+: /, ''), text]));
  return [
    ...[...byFile.values()].toReversed(),
    ...missingTemplates(configuration),
    ...missingUsers(configuration),
    ...closedSpool(configuration),
  ];
}
