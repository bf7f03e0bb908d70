/** What one process contains. Each role loads its parts when it is started, and only then. */

import type { Configuration, Settings } from '#config';
import type { LogSink } from '#events';
import type { AllInOneOptions } from './all-in-one.ts';
import type { Rehearsal, RehearsalOptions } from './rehearsal/rehearsal.ts';

/** The supervisor, as root. Arguments: configuration directory, queue directory, and `foreground` for start-fg. */
export async function runMaster(args: readonly string[]): Promise<void> {
  const { main } = await import('./master.ts');
  await main(args);
}

/** Everything unprivileged: receiving, queueing, relaying. Argument: MailStart as JSON. */
export async function runMail(args: readonly string[]): Promise<void> {
  const { main } = await import('./mail.ts');
  await main(args);
}

/** Writes mailboxes and runs commands as one user; requests come over descriptor 3. */
export async function runDeliverer(): Promise<void> {
  const { main } = await import('./deliverer.ts');
  await main();
}

/** All of it in one process, as an ordinary user. */
export async function runAllInOne(options: AllInOneOptions): Promise<number> {
  const { runAllInOne: run } = await import('./all-in-one.ts');
  return run(options);
}

/** What a well-formed configuration can't do as it stands: serve somebody, or see mail that waits; one line each. */
export async function unusableServices(configuration: Configuration): Promise<readonly string[]> {
  const { misspeltRestrictions, unusableServices: find } = await import('./start-check.ts');
  const { misspeltValues } = await import('./misspelt-values.ts');
  const { missingTables } = await import('./missing-tables.ts');
  const { absentParts } = await import('./absent-parts.ts');
  const { foreignMail } = await import('./foreign-queue.ts');
  return [
    ...misspeltValues(configuration),
    ...misspeltRestrictions(configuration),
    ...missingTables(configuration),
    ...absentParts(configuration, Date.now()),
    ...find(configuration),
    ...foreignMail(configuration.settings),
  ];
}

/** Why a start would be refused, one line each. */
export async function startRefusals(configuration: Configuration): Promise<readonly string[]> {
  const { startRefusals: find } = await import('./start-rehearsal.ts');
  return find(configuration);
}

/** The log as main.cf has it, for commands that write to it. */
export async function openMailLog(settings: Settings): Promise<LogSink> {
  const { openMailLog: open } = await import('./mail-log.ts');
  return open(settings);
}

/** Syslog as it is without a word of main.cf, for commands that can't read it. */
export async function openSyslogSink(): Promise<LogSink> {
  const { createSyslogSink } = await import('./syslog-sink.ts');
  return createSyslogSink('mail', 'external', true);
}

/** The SMTP server without sockets and queue, for commands that explain it. */
export async function openRehearsal(options: RehearsalOptions): Promise<Rehearsal> {
  const { openRehearsal: open } = await import('./rehearsal/index.ts');
  return open(options);
}

export type { Delivery, Rehearsal, RehearsalOnlooker, RehearsalOptions, Way } from './rehearsal/rehearsal.ts';
