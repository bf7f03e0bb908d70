/** The envelope of mail that the system itself writes: notices and probes. */
import type { ClientAttributes, Envelope } from './envelope.ts';

/** Nobody connected. */
const noClient: ClientAttributes = {
  name: '',
  reverseName: '',
  address: '',
  port: '',
  heloName: '',
  protocol: '',
  serverAddress: '',
  serverPort: '',
};

export function internalEnvelope(
  sender: string,
  arrivedAt: number,
  origin: Envelope['origin'],
): Omit<Envelope, 'messageId'> {
  return {
    sender,
    arrivedAt,
    envid: '',
    ret: '',
    smtputf8: false,
    encoding: '',
    rewriteContext: 'local',
    client: noClient,
    logClient: noClient,
    fullName: '',
    contentFilter: '',
    origin,
    verp: '',
    trace: '',
    originalQueueId: '',
    requireTls: false,
  };
}

/** The Received: field of such mail, complete. `date` as RFC 5322 has it. */
export function internalReceived(
  queueId: string,
  date: string,
  { myhostname, mailName }: { readonly myhostname: string; readonly mailName: string },
): Buffer {
  return Buffer.from(`Received: by ${myhostname} (${mailName})\r\n\tid ${queueId}; ${date}\r\n`);
}
