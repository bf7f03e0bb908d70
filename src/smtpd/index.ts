/** The SMTP server. smtpd(8) */
export { Anvil, type AnvilOptions } from './anvil.ts';
export { createSmtpServer, SmtpServer, type SmtpServerOptions, type SmtpService } from './server.ts';
export { createLateService } from './late-service.ts';
export { createUnusableService } from './unusable.ts';
export {
  type LoginOptions,
  loginSettings,
  type LoginSettings,
  loginSettingsWith,
  rehearsedLogin,
} from './login-settings.ts';
export { compileSettings as compileSmtpdSettings, type SmtpdSettings } from './settings.ts';
export { createPolicyChecks, type PolicyOptions } from './restrictions/policy-checks.ts';
export { faultyRestrictions } from './restrictions/program.ts';
export { faultyRewriteClients } from './rewrite-clients.ts';
export { type ServiceProblem, serviceProblem } from './restrictions/start.ts';
export type { PolicyChecks, PolicyResult, SessionFacts, Stage, Verdict } from './policy.ts';
export { type Conversation, type Dialogue, type RehearsedClient, rehearse } from './rehearsal.ts';
export { Transcript, troubleOf } from './transcript.ts';
export { isDnsList } from './restrictions/dns-lists.ts';
export type { Effect, PolicyEvent, PolicyOnlooker, Remark } from './restrictions/onlooker.ts';
export { type Decision, dunno, type Restriction } from './restrictions/restriction.ts';
export { createAnvil } from './anvil.ts';
export { countingIn, limitSessions } from './process-limit.ts';
