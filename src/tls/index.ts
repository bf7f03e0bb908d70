/** TLS of the servers: keys, protocols, handshake. */
export { type KeyFiles, readKeyFiles } from './key-files.ts';
export { openServerTls, type ServerTls } from './server-settings.ts';
export { acceptTls, type TlsFacts } from './accept.ts';
