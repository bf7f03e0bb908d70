/** The SMTP server. smtpd(8) */
export { Anvil, type AnvilOptions } from './anvil.ts';
export { createSmtpServer, SmtpServer, type SmtpServerOptions } from './server.ts';
export { compileSettings as compileSmtpdSettings, type SmtpdSettings } from './settings.ts';
export { createPolicyChecks, type PolicyOptions, relayProblem } from './restrictions/index.ts';
export type { PolicyChecks, SessionFacts, Stage, Verdict } from './policy.ts';
