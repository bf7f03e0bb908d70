/** Logins of SMTP clients, checked by a login server. */
export { DovecotServer } from './dovecot.ts';
export type {
  Exchange as SaslExchange,
  LoginServer,
  Mechanism,
  SaslOutcome,
  SaslRequest,
  SaslStep,
} from './login-server.ts';
