/** The SMTP and LMTP client. smtp(8), lmtp(8) */
export { createSmtpAgent, type SmtpAgentOptions } from './agent.ts';
