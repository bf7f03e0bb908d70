/** Clients behind a load balancer, which tells who they are. postconf(5) postscreen_upstream_proxy_protocol */
import { type AddressFamily, type ProxyHeader, ProxyHeaderReader } from '#smtp';
import type { ClientStream } from './client-stream.ts';
import { type Endpoints, endpointsOf } from './screened-socket.ts';

export interface UpstreamProxy {
  /** postscreen_upstream_proxy_timeout */
  readonly timeoutMs: number;
  /** inet_protocols */
  readonly families: readonly AddressFamily[];
}

/** The two ends as the load balancer has them; undefined after a bad header, which is warned of. */
export async function toldEndpoints(
  stream: ClientStream,
  { timeoutMs, families }: UpstreamProxy,
  { now, warn }: { readonly now: () => number; readonly warn: (text: string) => void },
): Promise<Endpoints | undefined> {
  const reader = new ProxyHeaderReader(families);
  const deadlineAt = now() + timeoutMs;
  let header: ProxyHeader | undefined;
  while (header === undefined) {
    const waited = await stream.wait(deadlineAt - now());
    if (waited === 'input') header = reader.push(stream.take());
    else if (waited === 'closed') header = reader.finish('closed');
    else if (waited === 'timeout') header = atTimeout(reader);
  }
  stream.hold();
  if (header.kind === 'bad') {
    warn(header.warning);
    return undefined;
  }
  stream.putBack(reader.bytes.subarray(header.length));
  return header.kind === 'direct' ? endpointsOf(stream.socket) : header;
}

function atTimeout(reader: ProxyHeaderReader): ProxyHeader {
  if (reader.bytes.length > 0) return reader.finish('timeout');
  return { kind: 'bad', warning: 'haproxy read: time limit exceeded' };
}
