/** Logins of SMTP clients, checked by a login server. */
export { DovecotServer } from './dovecot.ts';
export {
  type Exchange as SaslExchange,
  type LoginServer,
  type Mechanism,
  type MechanismTrait,
  mechanismTraits,
  type Offer,
  type SaslOutcome,
  type SaslRequest,
  type SaslStep,
} from './login-server.ts';
