/** Mail that comes from this machine: what sendmail left in maildrop, and what `postsuper -r` sends through cleanup again. */
import { createPickup, createRequeuer, type Pickup, type Requeuer } from '#pickup';
import { refusedUser, senderRight } from '#tables';
import type { MessageCore } from './message-core.ts';
import type { ServiceTools } from './service-tools.ts';

export interface LocalIntake {
  readonly requeuer: Requeuer;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function openLocalIntake(tools: ServiceTools, core: MessageCore): LocalIntake {
  const { configuration, channelOf, now } = tools;
  const { settings } = configuration;
  const requeuer = createRequeuer({
    store: core.store,
    submission: core.cleanupFor(settings),
    settings,
    events: channelOf(settings, 'pickup'),
    bouncer: core.bouncer,
    cleanupEvents: channelOf(settings, 'cleanup'),
    uid: process.getuid?.() ?? 0,
    now,
  });
  const pickup = openPickup(tools, core);
  let timer: NodeJS.Timeout | undefined;
  return {
    requeuer,
    async start() {
      await pickup?.start();
      timer = setInterval(() => void requeuer.run(), settings.timerMs('queue_run_delay'));
      void requeuer.run();
    },
    async stop() {
      clearInterval(timer);
      await Promise.all([pickup?.stop(), requeuer.stop()]);
    },
  };
}

/** Undefined when master.cf has no such service. */
function openPickup({ configuration, channelOf }: ServiceTools, core: MessageCore): Pickup | undefined {
  const { settings, services } = configuration;
  const entry = services.find(({ command }) => command === 'pickup');
  if (entry === undefined) return undefined;
  const view = configuration.settingsFor(entry);
  const queueDirectory = settings.string('queue_directory');
  return createPickup({
    directory: `${queueDirectory}/maildrop`,
    takenDirectory: `${queueDirectory}/maildrop-taken`,
    submission: core.cleanupFor(view),
    settings: view,
    events: channelOf(settings, 'pickup'),
    bouncer: core.bouncer,
    cleanupEvents: channelOf(settings, 'cleanup'),
    refusedUser: (uid) => refusedUser('authorized_submit_users', uid, settings, core.tables),
    senderRight: (uid, sender) => senderRight(uid, sender, settings, core.tables),
    scanIntervalMs: (entry.wakeupSeconds || 60) * 1000,
  });
}
