/** check_policy_service: asks a server and does what it says. SMTPD_POLICY_README */
import { connect, type Socket } from 'node:net';
import { applyAction } from './access.ts';
import { readPolicyServer } from './policy-options.ts';
import { type Constructor, type Decision, type Evaluation, type Toolbox } from './restriction.ts';

const stageNames: Readonly<Record<Evaluation['stage'], string>> = {
  connect: 'CONNECT',
  helo: 'HELO',
  mail: 'MAIL',
  rcpt: 'RCPT',
  data: 'DATA',
  endOfData: 'END-OF-MESSAGE',
  vrfy: 'VRFY',
  etrn: 'ETRN',
};

class ConnectError extends Error {}

const connectTexts: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'Connection refused',
  ENOENT: 'No such file or directory',
  EACCES: 'Permission denied',
  ETIMEDOUT: 'Connection timed out',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
};

/** One server: a connection that stays open between requests, asked one request at a time. */
class PolicyClient {
  readonly #target: string;
  readonly #queueDirectory: string;
  readonly #timeoutMs: number;
  #socket: Socket | undefined;
  #trouble: Error | undefined;
  #isConnected = false;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(target: string, queueDirectory: string, timeoutMs: number) {
    this.#target = target;
    this.#queueDirectory = queueDirectory;
    this.#timeoutMs = timeoutMs;
  }

  /** The action of the reply; rejects when the server can't be reached or answers nonsense. */
  ask(request: string): Promise<string> {
    const answer = this.#turn.then(() => this.#askTwice(request));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  async #askTwice(request: string): Promise<string> {
    const wasOpen = this.#socket !== undefined;
    try {
      return await this.#exchange(request);
    } catch (error) {
      // a connection kept open may have been closed by the server meanwhile
      if (!wasOpen) throw error;
      return this.#exchange(request);
    }
  }

  #open(): Socket {
    if (this.#socket !== undefined && !this.#socket.destroyed) return this.#socket;
    const inet = /^inet:(?:\[?([^\]]*?)\]?:)?(\d+)$/.exec(this.#target);
    const path = this.#target.replace(/^unix:/, '');
    const socket =
      inet === null
        ? connect(path.startsWith('/') ? path : `${this.#queueDirectory}/${path}`)
        : connect(Number(inet[2]), inet[1] ?? '127.0.0.1');
    socket.once('error', (error) => {
      this.#trouble = error;
      socket.destroy();
    });
    socket.once('connect', () => (this.#isConnected = true));
    this.#trouble = undefined;
    this.#isConnected = false;
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = undefined;
    });
    socket.unref();
    this.#socket = socket;
    return socket;
  }

  /** What the end of a connection without an answer is called. */
  #closedError(): Error {
    if (this.#isConnected) return new Error('Application error');
    const code = this.#trouble !== undefined && 'code' in this.#trouble ? String(this.#trouble.code) : '';
    return new ConnectError(connectTexts[code] ?? this.#trouble?.message ?? 'Connection refused');
  }

  #exchange(request: string): Promise<string> {
    const socket = this.#open();
    return new Promise((resolve, reject) => {
      let text = '';
      const finish = (error: Error | undefined, action = ''): void => {
        clearTimeout(timer);
        socket.off('data', onData);
        socket.off('close', onClose);
        if (error === undefined) resolve(action);
        else {
          socket.destroy();
          this.#socket = undefined;
          reject(error);
        }
      };
      const onData = (bytes: Buffer): void => {
        text += bytes.toString('utf8');
        if (!text.includes('\n\n')) return;
        const action = /^action=(.*)$/m.exec(text)?.[1];
        finish(action === undefined ? new Error('malformed reply') : undefined, action);
      };
      const onClose = (): void => finish(this.#closedError());
      const timer = setTimeout(() => finish(new Error('Connection timed out')), this.#timeoutMs);
      socket.on('data', onData);
      socket.on('close', onClose);
      socket.write(request);
    });
  }
}

function requestOf({ facts, stage }: Evaluation, toolbox: Toolbox, context: string): string {
  const { settings } = toolbox;
  // BDAT is asked about as DATA
  const state = stage === 'connect' || stage === 'helo' ? facts.command : stageNames[stage];
  const countsRecipients = stage === 'data' || stage === 'endOfData';
  const attributes: readonly (readonly [string, string | number])[] = [
    ['request', 'smtpd_access_policy'],
    ['protocol_state', state],
    ['protocol_name', facts.protocol],
    ['client_address', facts.client.address],
    ['client_name', facts.client.name],
    ['client_port', facts.client.port],
    ['reverse_client_name', facts.client.reverseName],
    ['server_address', facts.client.serverAddress],
    ['server_port', facts.client.serverPort],
    ['helo_name', facts.helo ?? ''],
    ['sender', facts.sender ?? ''],
    ['recipient', stage === 'etrn' ? '' : (facts.recipient ?? '')],
    ['recipient_count', countsRecipients ? facts.recipientCount : 0],
    ['queue_id', facts.queueId],
    ['instance', facts.instance],
    ['size', facts.sizeBytes],
    ['etrn_domain', stage === 'etrn' ? (facts.recipient ?? '') : ''],
    ['stress', settings.string('stress')],
    ['sasl_method', ''],
    ['sasl_username', facts.saslUsername],
    ['sasl_sender', ''],
    ['ccert_subject', ''],
    ['ccert_issuer', ''],
    ['ccert_fingerprint', ''],
    ['ccert_pubkey_fingerprint', ''],
    ['encryption_protocol', ''],
    ['encryption_cipher', ''],
    ['encryption_keysize', 0],
    ['policy_context', context],
    ['compatibility_level', settings.string('compatibility_level')],
    ['mail_version', settings.string('mail_version')],
  ];
  return `${attributes.map(([name, value]) => `${name}=${value}\n`).join('')}\n`;
}

const check: Constructor = (toolbox, argument) => {
  const { settings } = toolbox;
  const { target, timeoutMs, defaultAction, context } = readPolicyServer(argument, settings);
  const client = new PolicyClient(target, settings.string('queue_directory'), timeoutMs);
  return async (evaluation): Promise<Decision> => {
    let action: string;
    try {
      action = await client.ask(requestOf(evaluation, toolbox, context));
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      const server = target.replace(/^(?:inet|unix):/, '');
      if (error instanceof ConnectError) evaluation.warn(`connect to ${server}: ${text}`);
      evaluation.warn(`problem talking to server ${server}: ${text}`);
      action = defaultAction;
    }
    return applyAction(action, evaluation, toolbox, `policy server ${target}`);
  };
};

export const policyService: Readonly<Record<string, Constructor>> = { check_policy_service: check };
