/** Values that are read without complaint and fail when mail comes: networks, types of tables, transports. */
import {
  type Configuration,
  type ListElement,
  nearestName,
  ParameterRegistry,
  placeOf,
  type Settings,
  settingsViews,
  wrongKnownPorts,
} from '#config';
import { cacheTable, isTableType, readCacheSettings, readNetwork, tableTypes } from '#tables';
import { switchParameters, unknownSwitches } from '#tls';
import { tableParameters, takesOnlyTables } from './table-parameters.ts';

const registry = new ParameterRegistry();
const networkLists = ['mynetworks', 'smtpd_authorized_xclient_hosts', 'smtpd_authorized_xforward_hosts'];
export const transportParameters = [
  'best_mx_transport',
  'content_filter',
  'default_transport',
  'fallback_transport',
  'local_transport',
  'mailbox_transport',
  'relay_transport',
  'virtual_transport',
];

const keywordParameters = [
  'lmtp_discard_lhlo_keywords',
  'postscreen_discard_ehlo_keywords',
  'smtp_discard_ehlo_keywords',
  'smtpd_discard_ehlo_keywords',
];
/** postconf(5) smtpd_discard_ehlo_keywords */
const ehloKeywords = (
  '8bitmime auth chunking dsn enhancedstatuscodes etrn pipelining requiretls silent-discard size smtputf8 starttls ' +
  'verp vrfy xclient xforward'
).split(' ');

/** Restrictions have a check of their own. */
const typedParameters = tableParameters.filter((name) => !name.endsWith('_restrictions'));

/** Lists, where a word that begins with `#` can only be meant as a comment. */
const commentable = [
  'relayhost',
  ...registry.names().filter((name) => registry.get(name)?.kind === 'list' && !name.endsWith('_restrictions')),
];

const guess = (word: string, known: readonly string[]): string => {
  const near = nearestName(word, known);
  return near === undefined ? '' : `; did you mean "${near}"?`;
};

function badNetworks(settings: Settings): readonly string[] {
  return networkLists.flatMap((parameter) =>
    settings.elements(parameter).flatMap(({ text, origin }) => {
      const bare = text.replace(/^!+/, '');
      const network = /^[\d[][^/]*\/|^\[/.test(bare) ? readNetwork(bare) : undefined;
      if (typeof network !== 'string') return [];
      return [`${placeOf(origin)}${parameter}: ${network}; as it stands, clients are answered 451 4.3.0`];
    }),
  );
}

/** A comment is told of as such. */
function beforeComment(elements: readonly ListElement[]): readonly ListElement[] {
  const at = elements.findIndex(({ text }) => text.startsWith('#'));
  return at < 0 ? elements : elements.slice(0, at);
}

/** Defaults that refer to a parameter are not worth a line of their own. */
function unknownTableTypes(settings: Settings): readonly string[] {
  const written = typedParameters.filter((name) => settings.isSet(name));
  return written.flatMap((parameter) =>
    beforeComment(settings.elements(parameter)).flatMap(({ text, origin }) => {
      if (!text.includes(':') && takesOnlyTables(parameter)) {
        const untyped = `${parameter}: "${text}" has no type of table before it`;
        const remedy = `write "${settings.string('default_database_type')}:${text}" or another type`;
        return [`${placeOf(origin)}${untyped}; ${remedy}; as it stands, each lookup fails and mail is deferred`];
      }
      const type = /^!*(?:(?:proxy|debug):)*([a-z][a-z_0-9]*):(?!:)/i.exec(text)?.[1];
      if (type === undefined || tableTypes.includes(type) || typeof readNetwork(text) !== 'string') return [];
      if (isTableType(type)) {
        const absent = `${parameter}: tables of type ${type} are not in this version`;
        return [`${placeOf(origin)}${absent}; as it stands, each lookup fails and mail is deferred`];
      }
      const what = `${parameter}: unknown type of table in "${text}"${guess(type, tableTypes)}`;
      return [`${placeOf(origin)}${what}; as it stands, each lookup fails and mail is deferred`];
    }),
  );
}

const cacheParameters = ['address_verify_map', 'postscreen_cache_map'];
const cacheTypes = ['btree', 'hash', 'internal', 'lmdb'];

function unusableCaches(settings: Settings): readonly string[] {
  return cacheParameters.flatMap((parameter) => {
    const map = settings.string(parameter);
    const { type } = cacheTable(readCacheSettings(settings, map));
    if (map === '' || cacheTypes.includes(type)) return [];
    const what = `${parameter}: a table of type "${type}" can't be used as a cache${guess(type, cacheTypes)}`;
    return [`${placeOf(settings.origin(parameter))}${what}; as it stands, nothing is remembered`];
  });
}

function unknownKeywords(settings: Settings): readonly string[] {
  return keywordParameters.flatMap((parameter) =>
    settings
      .elements(parameter)
      .filter(({ text }) => !ehloKeywords.includes(text.toLowerCase()))
      .map(({ text, origin }) => {
        const what = `${parameter}: unknown EHLO keyword "${text}"${guess(text.toLowerCase(), ehloKeywords)}`;
        return `${placeOf(origin)}${what}; as it stands, it changes nothing`;
      }),
  );
}

function wrongSwitches(settings: Settings): readonly string[] {
  return switchParameters.flatMap((parameter) =>
    unknownSwitches(settings, parameter).map(
      (what) => `${placeOf(settings.origin(parameter))}${what}; as it stands, it changes nothing`,
    ),
  );
}

function wrongPorts(settings: Settings): readonly string[] {
  const place = placeOf(settings.origin('known_tcp_ports'));
  return wrongKnownPorts(settings).map(
    (text) => `${place}known_tcp_ports: "${text}" is not name=port; as it stands, it names no port`,
  );
}

function wrongRelayhost(settings: Settings): readonly string[] {
  return settings.elements('relayhost').flatMap(({ text, origin }) => {
    // only an address of IPv6 has colons within the brackets, and more than one
    if (!text.startsWith('[') || /^\[(?:[^[\]\s:]+|[^[\]\s]+:[^[\]\s]*:[^[\]\s]*)\](?::[\w-]+)?$/.test(text)) return [];
    const what = `relayhost: "${text}" is neither [host] nor [host]:port`;
    return [`${placeOf(origin)}${what}; as it stands, mail for it is deferred`];
  });
}

/** A comment needs a line of its own: behind a value it is part of the value. */
function trailingComments(settings: Settings): readonly string[] {
  return commentable.flatMap((parameter) => {
    const elements = settings.isSet(parameter) ? settings.elements(parameter) : [];
    const at = elements.findIndex(({ text }) => text.startsWith('#'));
    if (at < 0) return [];
    const comment = elements
      .slice(at)
      .map(({ text }) => text)
      .join(' ');
    const what = `${parameter}: "${comment}" is read as part of the value`;
    return [`${placeOf(elements[at]?.origin)}${what}; put the comment on a line of its own`];
  });
}

function missingTransports(settings: Settings, transports: readonly string[]): readonly string[] {
  return transportParameters.flatMap((parameter) => {
    const [transport = ''] = settings.string(parameter).split(':');
    if (transport === '' || transports.includes(transport)) return [];
    const what = `${parameter}: master.cf has no service "${transport}"${guess(transport, transports)}`;
    return [`${placeOf(settings.origin(parameter))}${what}; as it stands, mail for it is deferred`];
  });
}

/** What looks like a slip of the pen, one line each. */
export function misspeltValues(
  configuration: Pick<Configuration, 'services' | 'settings' | 'settingsFor'>,
): readonly string[] {
  const transports = configuration.services.filter(({ type }) => type !== 'inet').map(({ name }) => name);
  const views = settingsViews(configuration);
  const found = views.flatMap((view) => [
    ...badNetworks(view),
    ...unknownTableTypes(view),
    ...unusableCaches(view),
    ...unknownKeywords(view),
    ...wrongSwitches(view),
    ...wrongRelayhost(view),
    ...wrongPorts(view),
    ...trailingComments(view),
    ...missingTransports(view, transports),
  ]);
  return [...new Set(found)];
}
