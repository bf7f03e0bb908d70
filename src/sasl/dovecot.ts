/** Logins by Dovecot's login server, over a unix socket or TCP. SASL_README */
import { connect } from 'node:net';
import { isAbsolute, join } from 'node:path';
import type { PortOf } from '#config';
import { DovecotConnection, lost, noMechanisms } from './dovecot-connection.ts';
import type { Exchange, LoginServer, Offer, SaslOutcome, SaslRequest, SaslStep, SaslWords } from './login-server.ts';

/** By its characters. */
const isBase64 = (text: string): boolean => /^[A-Za-z0-9+/=]*$/.test(text);

const notBase64 = (what: string): SaslOutcome => ({
  kind: 'refused',
  reason: `Invalid base64 data in ${what} response`,
  isTemporary: false,
});

export const dovecotWords: SaslWords = {
  badMechanism: (name) => ({
    kind: 'refused',
    reason: `Invalid authentication mechanism: '${name}'`,
    isTemporary: false,
  }),
  noneLeft: { warnings: [], fatal: noMechanisms },
  badOption: (option, all) => ({
    warnings: [],
    fatal: `unknown xsasl_dovecot_server_create value "${option}" in "${all.join(' ')}"`,
  }),
};

export class DovecotServer implements LoginServer {
  readonly words = dovecotWords;
  readonly #path: string;
  readonly #directory: string;
  readonly #warn: (text: string) => void;
  readonly #portOf: PortOf;
  #connection: DovecotConnection | undefined;

  /**
   * `path`: `inet:HOST:PORT`, or a unix socket's, in `directory` unless it is absolute. postconf(5) smtpd_sasl_path.
   * `warn` hears of answers that make no sense. `portOf`: PORT may be the name of a service.
   */
  constructor(path: string, directory: string, warn: (text: string) => void, portOf: PortOf) {
    this.#path = path;
    this.#directory = directory;
    this.#warn = warn;
    this.#portOf = portOf;
  }

  offer(): Promise<Offer> {
    return this.#connected().offer;
  }

  /** The connection that is there, or a new one when it has ended. */
  #connected(): DovecotConnection {
    if (this.#connection?.isUsable !== true) {
      const [, host = '', port = ''] = /^inet:(.*):([\w-]+)$/.exec(this.#path) ?? [];
      const path = this.#path.replace(/^unix:/, '');
      // nobody listens at port 0
      const socket =
        host === ''
          ? connect(isAbsolute(path) ? path : join(this.#directory, path))
          : connect(this.#portOf(port) ?? 0, host.replace(/^\[(.*)\]$/, '$1'));
      this.#connection = new DovecotConnection(socket, this.#path, this.#warn);
    }
    return this.#connection;
  }

  open(request: SaslRequest): Exchange {
    // RFC 4954, 4: a lone = is an empty response
    const initialResponse = request.initialResponse === '=' ? '' : request.initialResponse;
    const connection = this.#connected();
    const id = connection.newId();
    const start = async (): Promise<SaslStep> => {
      const offer = await connection.offer;
      return offer.kind === 'unreachable'
        ? { ...lost, warnings: offer.warnings }
        : connection.ask(id, requestLine(id, { ...request, initialResponse }));
    };
    return {
      start: async () => (isBase64(initialResponse ?? '') ? start() : notBase64('initial')),
      answer: async (response) =>
        isBase64(response) ? connection.ask(id, `CONT\t${id}\t${response}`) : notBase64('continued'),
      abandon: () => connection.say(`CANCEL\t${id}`),
    };
  }
}

function requestLine(id: string, request: SaslRequest): string {
  const { mechanism, service, localAddress, remoteAddress, isSecured, initialResponse } = request;
  const fields = [`service=${service}`, 'nologin', `lip=${localAddress}`, `rip=${remoteAddress}`];
  if (isSecured) fields.push('secured');
  // the response has to be the last field
  if (initialResponse !== undefined) fields.push(`resp=${initialResponse}`);
  return `AUTH\t${id}\t${mechanism}\t${fields.join('\t')}`;
}
