/** What the queue manager asks of an agent, for tests. */
import { type DeliveryRequest, type Envelope, internalEnvelope } from '#message';

const client = {
  name: 'client.example',
  reverseName: 'client.example',
  address: '192.0.2.1',
  port: '40000',
  heloName: 'helo.example',
  protocol: 'ESMTP',
  serverAddress: '',
  serverPort: '',
};

export const envelope: Envelope = {
  ...internalEnvelope('from@example.org', 0, 'mail'),
  rewriteContext: 'remote',
  client,
  logClient: client,
  messageId: '',
};

/** A request for some recipients. */
export function request(
  nexthop: string,
  recipients: readonly string[],
  change: Partial<DeliveryRequest> = {},
  content = 'Subject: x\r\n\r\nbody\r\n',
): DeliveryRequest {
  const bytes = Buffer.from(content, 'latin1');
  return {
    queueId: 'QID',
    envelope,
    content: {
      sizeBytes: bytes.length,
      headerBytes: Math.max(0, bytes.indexOf('\r\n\r\n') + 2),
      chunks: () => [bytes],
    },
    sizeBytes: bytes.length,
    transport: 'smtp',
    nexthop,
    recipients: recipients.map((address, index) => ({
      address,
      original: address,
      dsnOriginal: '',
      notify: [],
      index,
    })),
    activeAt: 0,
    startedAt: 0,
    reuseConnection: false,
    probe: false,
    signal: new AbortController().signal,
    ...change,
  };
}
