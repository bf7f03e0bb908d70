/** The envelope of a message as the session knows it. */
import type { ClientAttributes, SubmissionOptions } from '#message';
import type { Forwarding } from './forwarding.ts';
import type { ClientFacts, Transaction } from './session-state.ts';
import type { SmtpdSettings } from './settings.ts';

export interface EnvelopeSource {
  readonly settings: SmtpdSettings;
  readonly client: ClientFacts;
  readonly helo: string | undefined;
  readonly protocol: string;
  readonly forwarding: Pick<Forwarding, 'client' | 'queueId'>;
  readonly login: { readonly user: string; readonly method: string };
}

export function attributesOf(client: ClientFacts, heloName: string, protocol: string): ClientAttributes {
  const { name, reverseName, address, port, serverAddress, serverPort } = client;
  return { name, reverseName, address, port, heloName, protocol, serverAddress, serverPort };
}

export function envelopeOf(
  { settings, client, helo = '', protocol, login, forwarding }: EnvelopeSource,
  transaction: Transaction,
  rewriteContext: 'local' | 'remote',
): SubmissionOptions['envelope'] {
  const own = attributesOf(client, helo, protocol);
  const { client: before, queueId: forwardedQueueId } = forwarding;
  return {
    sender: transaction.sender,
    arrivedAt: transaction.startedAt,
    envid: transaction.envid,
    ret: transaction.ret,
    smtputf8: transaction.smtputf8,
    encoding: transaction.encoding,
    rewriteContext,
    client: own,
    logClient: before === undefined ? own : attributesOf(before, before.heloName, before.protocol),
    ...(login.user === '' && transaction.saslSender === undefined
      ? {}
      : { sasl: { method: login.method, username: login.user, sender: transaction.saslSender ?? '' } }),
    fullName: '',
    contentFilter: settings.contentFilter,
    origin: 'mail',
    verp: transaction.verp,
    trace: '',
    originalQueueId: '',
    ...(forwardedQueueId !== '' && { forwardedQueueId }),
    requireTls: transaction.requireTls,
  };
}
