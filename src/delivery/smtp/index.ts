/** The SMTP and LMTP client. smtp(8), lmtp(8) */
export { createSmtpAgent } from './agent.ts';
export type { SmtpAgentOptions } from './client.ts';
export { loginProblem } from './login-problem.ts';
