/** What commands find in their environment. local(8), pipe(8); postconf(5) import_environment, export_environment */
import type { Settings } from '#config';
import type { DeliveryRequest, RequestRecipient } from '#message';

const defaultPath = '/usr/bin:/bin';

/** `NAME`, `NAME=value` and `{NAME = value with blanks}`. */
function wordsOf(text: string): readonly string[] {
  return [...text.matchAll(/\{\s*([^}]*?)\s*\}|([^\s,{}]+)/g)].map(([, braced, plain]) =>
    braced === undefined ? (plain ?? '') : braced.replace(/\s*=\s*/, '='),
  );
}

/** export_environment: `NAME` takes what the mail system itself was given, `NAME=value` sets. */
export function exportedEnvironment(
  settings: Settings,
  own: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const imported = new Map<string, string>();
  const take = (
    words: readonly string[],
    from: (name: string) => string | undefined,
    into: Map<string, string>,
  ): void => {
    for (const word of words) {
      const at = word.indexOf('=');
      const name = at < 0 ? word : word.slice(0, at);
      const value = at < 0 ? from(name) : word.slice(at + 1);
      if (value !== undefined) into.set(name, value);
    }
  };
  take(wordsOf(settings.string('import_environment')), (name) => own[name], imported);
  const exported = new Map([['PATH', defaultPath]]);
  const exports = wordsOf(settings.string('export_environment'));
  take(exports, (name) => imported.get(name), exported);
  if (exports.includes('MAIL_CONFIG')) {
    exported.set('MAIL_CONFIG', settings.string('config_directory'));
  }
  return Object.fromEntries(exported);
}

/** Facts about the message that commands may want, those that are known. */
export function messageFacts(request: DeliveryRequest, recipient: RequestRecipient): ReadonlyMap<string, string> {
  const { client, sasl, envid } = request.envelope;
  // mail of this machine has no client worth telling of
  const isRemote = client.protocol !== '';
  const facts = new Map([
    ['RECIPIENT', recipient.address],
    ['ORIGINAL_RECIPIENT', recipient.original],
    ['ENVID', envid],
    ['CLIENT_ADDRESS', isRemote ? client.address : ''],
    ['CLIENT_HELO', client.heloName],
    ['CLIENT_HOSTNAME', isRemote ? client.name : ''],
    ['CLIENT_PROTOCOL', client.protocol],
    ['SASL_METHOD', sasl?.method ?? ''],
    ['SASL_SENDER', sasl?.sender ?? ''],
    ['SASL_USERNAME', sasl?.username ?? ''],
  ]);
  return new Map([...facts].filter(([, value]) => value !== ''));
}
