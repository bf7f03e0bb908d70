/** The command line of `posthorn explain`. */
import { parseArgs } from 'node:util';
import { familyOf } from '#address';

export const usage = `usage: posthorn explain --client ADDR [--name HOST] [--helo NAME] --from SENDER --to RECIPIENT... [options]
       posthorn explain --test FILE [options]

Says what the SMTP server would answer a client, and why: each restriction with its place in main.cf, the tables
and keys it asks, and the reply. It runs the code and the configuration of the server itself, without a connection.
Nothing is queued, delivered or remembered.

  --client ADDR    IP address of the client
  --name HOST      its host name; "unknown" for a client without one. Looked up in DNS when not given
  --reverse-name HOST
                   what its address resolves to, where DNS does not confirm that or --name differs. Without --name
                   the client has no other name
  --helo NAME      what it says in EHLO; its --name, or its address in brackets, when not given
  --from SENDER    envelope sender; "<>" for the null sender
  --to RECIPIENT   envelope recipient; may be given several times
  --login USER     it has logged in (SASL)
  --tls            over TLS; taken for granted where the service demands it
  --message FILE   content to send; without it an empty message is sent
  --service NAME   the service of master.cf, with its -o overrides (smtp)
  --config DIR     configuration directory; also -c DIR, or MAIL_CONFIG in the environment
  --offline        ask neither policy services nor DNS; the steps that would are left out and say so
  --json           print the explanation as JSON (docs/explain.md describes it)
  --test FILE      check the expectations in FILE, one a line:
                     client 192.0.2.1 name mx.example helo mx.example from a@b.example to c@d.example => reject 5.7.1
                   The words: client, name, reverse-name, helo, from, to (several), login, tls yes, service. After the
                   arrow: accept, reject, defer, hold or discard, and, where one likes, reply code, status code or both.
                   # starts a comment.

Exit status: 0 when the explanation was given, or all expectations hold; 1 when one does not; 64 for a wrong command
line or a line of FILE that can't be read; 78 for a configuration that can't be used.
`;

export interface ExplainArguments {
  readonly configDirectory: string | undefined;
  readonly service: string | undefined;
  readonly isOffline: boolean;
  readonly isJson: boolean;
  readonly messageFile: string | undefined;
  readonly task:
    | { readonly kind: 'help' }
    | { readonly kind: 'test'; readonly file: string }
    | { readonly kind: 'question'; readonly question: AskedQuestion };
}

/** What is said of a conversation. Addresses as on the wire, without angle brackets; '' is the null sender. */
export interface AskedQuestion {
  readonly client: string;
  /** Undefined: looked up. */
  readonly name: string | undefined;
  /** Undefined: as `name`. */
  readonly reverseName: string | undefined;
  readonly helo: string;
  readonly sender: string;
  readonly recipients: readonly string[];
  /** '' when nobody logs in. */
  readonly login: string;
  /** Over TLS; taken for granted where the service demands it. */
  readonly tls: boolean;
}

/** Without the angle brackets that people like to write. */
function addressOf(text: string): string {
  return /^<(.*)>$/s.exec(text)?.[1] ?? text;
}

/** What is wrong with words that go into SMTP commands; undefined when nothing is. */
function problemOf({ client, name, reverseName, helo, sender, recipients, login }: AskedQuestion): string | undefined {
  if (familyOf(client) === undefined) return `not an IP address: ${client}`;
  const words = [name, reverseName, helo, sender, login, ...recipients];
  // oxlint-disable-next-line no-control-regex -- what would be another command
  const unusable = words.find((word = '') => /[\x00-\x1f\x7f]/.test(word));
  return unusable === undefined ? undefined : `control characters in ${JSON.stringify(unusable)}`;
}

/** What a client says in EHLO that has its house in order: its name, else an address literal. RFC 5321, 4.1.1.1 */
function usualHelo(client: string, name = 'unknown'): string {
  if (name !== 'unknown') return name;
  return familyOf(client) === 'ipv6' ? `[IPv6:${client}]` : `[${client}]`;
}

/** Words as given become a question; a text says what is missing or wrong. */
export function questionOf(given: {
  readonly client?: string | undefined;
  readonly name?: string | undefined;
  readonly 'reverse-name'?: string | undefined;
  readonly helo?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: readonly string[] | undefined;
  readonly login?: string | undefined;
  readonly tls?: string | boolean | undefined;
}): AskedQuestion | string {
  const { client, helo, from, to = [], login = '', tls = false } = given;
  const reverseName = given['reverse-name'];
  // a name that DNS did not confirm is no name
  const name = given.name ?? (reverseName === undefined ? undefined : 'unknown');
  if (client === undefined) return 'missing: client';
  if (from === undefined) return 'missing: from';
  if (to.length === 0) return 'missing: to';
  if (typeof tls === 'string' && !/^(?:yes|no)$/i.test(tls)) return `after tls stands yes or no, not ${tls}`;
  const isEncrypted = typeof tls === 'string' ? tls.toLowerCase() === 'yes' : tls;
  const words = {
    client,
    name,
    reverseName,
    helo: helo ?? usualHelo(client, name),
    sender: addressOf(from),
    recipients: to.map(addressOf),
    login,
  };
  const question = { ...words, tls: isEncrypted };
  return problemOf(question) ?? question;
}

/** Reads the command line; a text says what is wrong with it. */
export function parseArguments(args: readonly string[]): ExplainArguments | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        client: { type: 'string' },
        name: { type: 'string' },
        'reverse-name': { type: 'string' },
        helo: { type: 'string' },
        from: { type: 'string' },
        to: { type: 'string', multiple: true },
        login: { type: 'string' },
        tls: { type: 'boolean' },
        message: { type: 'string' },
        service: { type: 'string' },
        config: { type: 'string', short: 'c' },
        offline: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        test: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    const rest = {
      configDirectory: values.config,
      service: values.service,
      isOffline: values.offline,
      isJson: values.json,
      messageFile: values.message,
    };
    if (values.help) return { ...rest, task: { kind: 'help' } };
    if (values.test !== undefined) {
      const given = (['client', 'name', 'reverse-name', 'helo', 'from', 'to', 'login', 'tls'] as const).find(
        (one) => values[one] !== undefined,
      );
      if (given !== undefined) return `--test and --${given} can't be given together`;
      return { ...rest, task: { kind: 'test', file: values.test } };
    }
    const question = questionOf(values);
    if (typeof question === 'string') return question.replace(/^missing: /, 'missing: --');
    return { ...rest, task: { kind: 'question', question } };
  } catch (error) {
    if (error instanceof TypeError) return error.message;
    throw error;
  }
}
