/** Logins of SMTP clients, checked by a login server, and what a client says itself. */
export { type CyrusPlace, CyrusServer, cyrusProblem } from './cyrus.ts';
export { readCyrusConfig } from './cyrus-config.ts';
export { DovecotServer, dovecotWords } from './dovecot.ts';
export { createRehearsedServer } from './rehearsed-server.ts';
export { scramClient, scramMechanisms } from './scram-client.ts';
export {
  type Exchange as SaslExchange,
  type LoginServer,
  type Mechanism,
  mechanismTraits,
  type Obituary,
  type Offer,
  type SaslOutcome,
  type SaslRequest,
  type SaslStep,
} from './login-server.ts';
