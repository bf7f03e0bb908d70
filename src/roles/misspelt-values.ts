/** Values that are read without complaint and fail when mail comes: networks, types of tables, transports. */
import { type Configuration, nearestName, type Origin, ParameterRegistry, type Settings } from '#config';
import { isTableType, readNetwork, tableTypes } from '#tables';

const registry = new ParameterRegistry();
const networkLists = ['mynetworks', 'smtpd_authorized_xclient_hosts', 'smtpd_authorized_xforward_hosts'];
const transportParameters = [
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

/** Parameters that may name tables; but for those that repeat others, restrictions among them. */
const tableParameters = registry
  .names()
  .filter((name) =>
    /^(?!proxy_).*(?:_maps|_checks|_domains|_networks|_users|reply_filter|command_filter|status_filter|mydestination|mynetworks)$/.test(
      name,
    ),
  );

/** Lists, where a word that begins with `#` can only be meant as a comment. */
const commentable = [
  'relayhost',
  ...registry.names().filter((name) => registry.get(name)?.kind === 'list' && !name.endsWith('_restrictions')),
];

const place = (origin: Origin | undefined): string =>
  origin === undefined ? '' : `${origin.file}, line ${origin.line}: `;

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
      return [`${place(origin)}${parameter}: ${network}; as it stands, clients are answered 451 4.3.0`];
    }),
  );
}

function unknownTableTypes(settings: Settings): readonly string[] {
  return tableParameters.flatMap((parameter) =>
    settings.elements(parameter).flatMap(({ text, origin }) => {
      const type = /^!*(?:(?:proxy|debug):)*([a-z][a-z_0-9]*):(?!:)/i.exec(text)?.[1];
      if (type === undefined || tableTypes.includes(type) || typeof readNetwork(text) !== 'string') return [];
      if (isTableType(type)) {
        // defaults that refer to it are not worth a line of their own
        if (!settings.isSet(parameter)) return [];
        const absent = `${parameter}: tables of type ${type} are not in this version`;
        return [`${place(origin)}${absent}; as it stands, each lookup fails and mail is deferred`];
      }
      const what = `${parameter}: unknown type of table in "${text}"${guess(type, tableTypes)}`;
      return [`${place(origin)}${what}; as it stands, each lookup fails and mail is deferred`];
    }),
  );
}

function unknownKeywords(settings: Settings): readonly string[] {
  return keywordParameters.flatMap((parameter) =>
    settings
      .elements(parameter)
      .filter(({ text }) => !ehloKeywords.includes(text.toLowerCase()))
      .map(({ text, origin }) => {
        const what = `${parameter}: unknown EHLO keyword "${text}"${guess(text.toLowerCase(), ehloKeywords)}`;
        return `${place(origin)}${what}; as it stands, it changes nothing`;
      }),
  );
}

function unclosedRelayhost(settings: Settings): readonly string[] {
  return settings.elements('relayhost').flatMap(({ text, origin }) => {
    if (!text.startsWith('[') || /^\[[^[\]\s]+\](?::[\w-]+)?$/.test(text)) return [];
    const what = `relayhost: "${text}" is neither [host] nor [host]:port`;
    return [`${place(origin)}${what}; as it stands, mail for it is deferred`];
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
    return [`${place(elements[at]?.origin)}${what}; put the comment on a line of its own`];
  });
}

function missingTransports(settings: Settings, transports: readonly string[]): readonly string[] {
  return transportParameters.flatMap((parameter) => {
    const [transport = ''] = settings.string(parameter).split(':');
    if (transport === '' || transports.includes(transport)) return [];
    const what = `${parameter}: master.cf has no service "${transport}"${guess(transport, transports)}`;
    return [`${place(settings.origin(parameter))}${what}; as it stands, mail for it is deferred`];
  });
}

/** What looks like a slip of the pen, one line each. */
export function misspeltValues({
  services,
  settings,
  settingsFor,
}: Pick<Configuration, 'services' | 'settings' | 'settingsFor'>): readonly string[] {
  const transports = services.filter(({ type }) => type !== 'inet').map(({ name }) => name);
  const views = [settings, ...services.filter(({ overrides }) => overrides.size > 0).map(settingsFor)];
  const found = views.flatMap((view) => [
    ...badNetworks(view),
    ...unknownTableTypes(view),
    ...unknownKeywords(view),
    ...unclosedRelayhost(view),
    ...trailingComments(view),
    ...missingTransports(view, transports),
  ]);
  return [...new Set(found)];
}
