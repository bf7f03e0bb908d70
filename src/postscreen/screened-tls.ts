/** TLS of a client under test. Postfix leaves it to tlsproxy(8), whose name stands in the log. postscreen(8) */
import type { EventChannel } from '#events';
import { logAccepted, logHandshakeStart, logStates, type ServerTls, watchOf } from '#tls';
import type { ClientStream } from './client-stream.ts';
import type { Endpoints } from './screened-socket.ts';

export interface ScreenedTls {
  readonly server: ServerTls;
  /** Channel of the handshakes (`postfix/tlsproxy`). */
  readonly events: EventChannel;
}

export interface SecuredClient extends Pick<Endpoints, 'client'> {
  /** As logged. */
  readonly text: string;
  readonly timeoutMs: number;
  /** Says that the handshake may begin. */
  readonly invite: () => Promise<void>;
}

/** The handshake; what came before it is forgotten. False: it failed, and the connection is gone. */
export async function secureClient(
  stream: ClientStream,
  { server, events }: ScreenedTls,
  { client: { address }, text: client, timeoutMs, invite }: SecuredClient,
): Promise<boolean> {
  const { acceptor } = server;
  if (acceptor === undefined) return false;
  const log = { events, tls: server, client, level: await server.logLevels.of({ name: 'unknown', address }) };
  const logFailure = (): false => {
    events.emit({ kind: 'tlsProxyFailed', service: 'smtpd', client });
    events.emit({ kind: 'tlsProxied', word: 'DISCONNECT', client });
    return false;
  };
  events.emit({ kind: 'tlsProxied', word: 'CONNECT', client });
  if (!logHandshakeStart(log)) {
    await invite();
    stream.close();
    return logFailure();
  }
  const accepted = await stream.change(async (socket) => {
    // not before nobody reads from it any more
    await invite();
    return acceptor.accept(socket, timeoutMs, watchOf(log));
  });
  if (accepted.kind === 'failed') {
    logStates(log, accepted);
    if (accepted.by === 'handshake') events.emit({ kind: 'warning', text: `TLS library problem: ${accepted.reason}` });
    return logFailure();
  }
  logAccepted(log, accepted);
  accepted.stream.once('close', () => events.emit({ kind: 'tlsProxied', word: 'DISCONNECT', client }));
  return true;
}
