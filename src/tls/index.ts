/** TLS of servers and clients: keys, protocols, names, handshake. */
export type { ClientHandshake } from './client-handshake.ts';
export { ClientTls } from './client-tls.ts';
export type { Accepted, TlsAcceptor } from './accept.ts';
export { logAccepted, logHandshakeStart, logStates, watchOf } from './handshake-log.ts';
export { keyComplaints } from './key-check.ts';
export { keyFilePaths, type KeyFiles, readKeyFiles, type TlsService } from './key-files.ts';
export {
  clientTlsParameters,
  type KeyParameters,
  type LevelParameters,
  postscreenParameters,
  smtpdParameters,
  type TlsParameters,
} from './parameters.ts';
export { opensslOptions, switchParameters, unknownSwitches } from './openssl-options.ts';
export { demandsTls, openServerTls, type ServerTls } from './server-settings.ts';
