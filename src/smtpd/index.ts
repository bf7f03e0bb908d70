/** The SMTP server. smtpd(8) */
export { Anvil, type AnvilOptions } from './anvil.ts';
export { createSmtpServer, SmtpServer, type SmtpServerOptions } from './server.ts';
export { compileSettings as compileSmtpdSettings, type SmtpdSettings } from './settings.ts';
export { createPolicyChecks, type PolicyOptions, relayProblem } from './restrictions/index.ts';
export type { PolicyChecks, SessionFacts, Stage, Verdict } from './policy.ts';
export { type Conversation, type Dialogue, type RehearsedClient, rehearse } from './rehearsal.ts';
export type { Effect, PolicyEvent, PolicyOnlooker, Remark } from './restrictions/onlooker.ts';
export { type Decision, dunno, type Restriction } from './restrictions/restriction.ts';
