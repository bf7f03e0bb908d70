/** The supervisor: services from master.cf, listeners, spawning, reload. master(8) */
export { type FromMail, mailDescriptors, type MailStart, parseMailStart } from './control-messages.ts';
export { openSupervisorChannel } from './supervisor-channel.ts';
export { listenAddresses, publicPlace } from './listen-addresses.ts';
export { masterEngineOptions } from './engine-options.ts';
export { openLogFile } from './log-file.ts';
export { isAllInOne, pidFilePath, runningMaster } from './pid-file.ts';
export { listenOn } from './listen-on.ts';
export { lastReload, reloadRefusal } from './reload-mark.ts';
export { Supervisor, type SupervisorOptions } from './supervisor.ts';
export { SpawnServices } from './spawn-services.ts';
export { isQueueLocked, type Locking, lockSystem, type SystemLocks } from './system-locks.ts';
export { tryToSupervise } from './refusals.ts';
