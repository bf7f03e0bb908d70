/** The middle of the mail process: cleanup, the queue, its manager and the agents, and what they all ask. */
import { type Bouncer, createBouncer } from '#bounce';
import { createCleanup } from '#cleanup';
import { badSetting, familiesOf, type Settings } from '#config';
import type { DelivererPool } from '#delivery';
import { createHostLookup, type HostLookup, systemResolver } from '#dns';
import { type DeliveryAgent, type MaybePromise, whenReady } from '#message';
import { createQueueManager, InFlow, type QueueManager } from '#qmgr';
import { createRewriter, type Rewriter } from '#rewrite';
import type { QueueStore } from '#store';
import type { TableOpener } from '#tables';
import type { KeyFiles } from '#tls';
import { createProbeSender, createVerifier, type ProbeSender, type Verifier } from '#verify';
import { createAgents } from './agents.ts';
import { type ServiceTools, warningsTo } from './service-tools.ts';

type Cleanup = ReturnType<typeof createCleanup>;

export interface MessageCore {
  readonly store: QueueStore;
  readonly rewriter: Rewriter;
  /** Tables of the main configuration. */
  readonly tables: TableOpener;
  readonly hostLookup: HostLookup;
  /** The cleanup service that `cleanup_service_name` names. */
  readonly cleanupFor: (view: Settings) => Cleanup;
  readonly bouncer: Bouncer;
  readonly probeSender: ProbeSender;
  readonly verifier: Verifier | undefined;
  readonly agents: ReadonlyMap<string, DeliveryAgent>;
  readonly qmgr: QueueManager;
  /** ETRN and postqueue -s: starts deliveries to a site; false when it is none of fast_flush_domains. */
  readonly flushSite: (site: string) => Promise<boolean>;
}

export interface CoreOptions {
  readonly deliverers: DelivererPool;
  readonly store: QueueStore;
  /** Of certificates that servers are shown, and of authorities that know them. */
  readonly keyFiles?: KeyFiles;
}

export function openMessageCore(tools: ServiceTools, { deliverers, store, keyFiles }: CoreOptions): MessageCore {
  const { configuration, channelOf, openerFor, now } = tools;
  const { settings, services } = configuration;
  const qmgrEvents = channelOf(settings, 'qmgr');
  const { tables } = openerFor('trivial-rewrite', settings);
  const rewriter = createRewriter({
    settings,
    tables,
    warn: warningsTo(channelOf(settings, 'trivial-rewrite')),
  });
  const resolver = systemResolver();
  const hostLookup = createHostLookup(resolver, { families: familiesOf(settings), searchList: resolver.conf });

  const inFlow = new InFlow(settings.int('default_process_limit'));
  const cleanupFor = openCleanups(tools, { rewriter, store, inFlow });
  const submission = cleanupFor(settings);
  const bouncer = createBouncer({ submission, settings, events: channelOf(settings, 'bounce') });
  const probeSender = createProbeSender({
    sender: settings.string('address_verify_sender'),
    ttlMs: settings.ms('address_verify_sender_ttl'),
    rewrite: (address) => rewriter.rewrite(address, 'local'),
  });
  const verifier = openVerifier(tools, submission, probeSender);
  const agents = createAgents({
    configuration,
    rewriter,
    hostLookup,
    submission,
    bouncer,
    deliverers,
    now,
    openerFor,
    ...(keyFiles && { keyFiles }),
  });
  const flushDomains = tables.matchList('fast_flush_domains', 'domain', settings.elements('fast_flush_domains'));
  const isFlushed = (site: string): MaybePromise<boolean> =>
    whenReady(flushDomains.matches(site), (answer) => answer === 'yes');
  const qmgr = createQueueManager({
    store,
    agents,
    processLimit: (transport) =>
      services.find((entry) => entry.type === 'unix' && entry.name === transport)?.processLimit ?? 0,
    resolve: (sender, recipient, use) => rewriter.resolve(sender, recipient, use),
    probes: verifier,
    bouncer,
    inFlow,
    isFlushedSite: settings.list('fast_flush_domains').length === 0 ? undefined : isFlushed,
    settings,
    events: qmgrEvents,
    errorEvents: channelOf(settings, 'error'),
    now,
  });

  const flushSite = async (site: string): Promise<boolean> => {
    if (!(await isFlushed(site))) return false;
    await qmgr.flushSite(site);
    return true;
  };

  return {
    store,
    rewriter,
    tables,
    hostLookup,
    cleanupFor,
    bouncer,
    probeSender,
    verifier,
    agents,
    qmgr,
    flushSite,
  };
}

function openCleanups(
  { configuration, openerFor }: ServiceTools,
  parts: { readonly rewriter: Rewriter; readonly store: QueueStore; readonly inFlow: InFlow },
): MessageCore['cleanupFor'] {
  const cleanups = new Map(
    configuration.services
      .filter((entry) => entry.command === 'cleanup')
      .map((entry) => {
        const view = configuration.settingsFor(entry);
        return [entry.name, createCleanup({ settings: view, ...openerFor('cleanup', view), ...parts })] as const;
      }),
  );
  return (view) => {
    const name = view.string('cleanup_service_name');
    const found = cleanups.get(name);
    if (found === undefined) throw badSetting(view, 'cleanup_service_name', 'master.cf has no such cleanup service');
    return found;
  };
}

function openVerifier(
  { configuration, channelOf, now }: ServiceTools,
  submission: Cleanup,
  sender: ProbeSender,
): Verifier | undefined {
  const { settings, services } = configuration;
  const verifyName = settings.string('address_verify_service_name');
  const verifyEntry = services.find((entry) => entry.command === 'verify' && entry.name === verifyName);
  if (verifyEntry === undefined) return undefined;
  const view = configuration.settingsFor(verifyEntry);
  return createVerifier({ settings: view, submission, sender, events: channelOf(view, 'verify'), now });
}
