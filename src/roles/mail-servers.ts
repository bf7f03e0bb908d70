/** The services of master.cf that take connections: SMTP servers, and postscreen in front of some. smtpd(8), postscreen(8) */
import { createSessionNotifier } from '#bounce';
import type { ServiceEntry, Settings } from '#config';
import { HeldEvents } from '#events';
import {
  type Anvil,
  compileSmtpdSettings,
  countingIn,
  createAnvil,
  createLateService,
  createPolicyChecks,
  createSmtpServer,
  createUnusableService,
  limitSessions,
  loginSettings,
  serviceProblem,
  type SmtpService,
} from '#smtpd';
import { publicPlace } from '#master';
import { rememberResolutions } from '#rewrite';
import { type KeyFiles, openServerTls, postscreenParameters, smtpdParameters } from '#tls';
import { filteredResolver } from './filtered-resolver.ts';
import type { MessageCore } from './message-core.ts';
import { type ConnectionService, createScreening } from './screening.ts';
import { resolverOf, type ServiceTools, warningsTo } from './service-tools.ts';

export interface MailServers {
  /** Keys: `name/type`. */
  readonly all: ReadonlyMap<string, ConnectionService>;
  /** Those that are postscreen. */
  readonly screenings: readonly ConnectionService[];
}

export async function openMailServers(
  tools: ServiceTools,
  core: MessageCore,
  keyFiles: KeyFiles,
): Promise<MailServers> {
  const { services } = tools.configuration;
  const anvil = openAnvil(tools);
  const all = new Map<string, ConnectionService>();
  const passServers = new Map<string, { readonly service: ConnectionService; readonly processLimit: number }>();
  for (const entry of services.filter(isSmtpServer)) {
    const { name, type, processLimit } = entry;
    const service = await openSmtpServer(tools, core, keyFiles, anvil, entry);
    all.set(`${name}/${type}`, service);
    if (type === 'pass') passServers.set(name, { service, processLimit });
  }
  const screenings: ConnectionService[] = [];
  for (const entry of services.filter(({ command, type }) => command === 'postscreen' && type === 'inet')) {
    const screening = await openScreening(tools, keyFiles, entry, passServers);
    screenings.push(screening);
    all.set(`${entry.name}/${entry.type}`, screening);
  }
  return { all, screenings };
}

function openAnvil({ configuration, channelOf, now }: ServiceTools): Anvil {
  const { services, settings } = configuration;
  const entry = services.find(({ command }) => command === 'anvil');
  const own = entry === undefined ? settings : configuration.settingsFor(entry);
  return createAnvil(own, settings, channelOf(own, 'anvil'), now);
}

function isSmtpServer({ command, type }: ServiceEntry): boolean {
  return command === 'smtpd' && (type === 'inet' || type === 'pass');
}

async function openSmtpServer(
  tools: ServiceTools,
  core: MessageCore,
  keyFiles: KeyFiles,
  anvil: Anvil,
  entry: ServiceEntry,
): Promise<ConnectionService> {
  const { configuration, channelOf, openerFor, now } = tools;
  const { store, hostLookup, verifier, probeSender, flushSite } = core;
  const rewriter = rememberResolutions(core.rewriter);
  const view = configuration.settingsFor(entry);
  const events = channelOf(view, 'smtpd');
  const problem = serviceProblem(view);
  if (problem !== undefined) return createUnusableService(problem, events);
  const submission = core.cleanupFor(view);
  const held = new HeldEvents();
  let parts = openerFor('smtpd', view, held);
  const warn = warningsTo(parts.events);
  const tls = await openServerTls({
    settings: view,
    names: smtpdParameters,
    files: keyFiles,
    tables: parts.tables,
    events: parts.events,
    now,
  });
  const login = loginSettings(view, { tables: parts.tables, configDirectory: configuration.directory, warn });
  const make = (settings: Settings): SmtpService =>
    createSmtpServer({
      settings: compileSmtpdSettings(settings, entry, parts.tables),
      policy: createPolicyChecks({
        settings,
        ...parts,
        rewriter,
        resolver: filteredResolver(resolverOf(parts.events), view, parts),
        hostLookup,
        verification: verifier,
      }),
      probeSender: (address) => probeSender.match(address, now()),
      notifyPostmaster: createSessionNotifier({ speaker: 'SMTP server', submission, settings: view, warn, now }),
      submission,
      hostLookup,
      rewriter,
      events: parts.events,
      anvil,
      now,
      freeBytes: () => store.freeBytes(),
      flushSite,
      tls,
      login,
    });

  const calm = createLateService({
    make: () => make(view),
    makeAnew: () => {
      parts = openerFor('smtpd', view);
      return make(view);
    },
    held,
    events,
  });
  const stressed = (): SmtpService => make(configuration.stressedSettingsFor(entry));
  const masterWarn = warningsTo(channelOf(configuration.settings, 'master'));
  const place = await publicPlace(entry, configuration.settings);
  return countingIn(anvil, limitSessions(entry, { place, calm, stressed, warn: masterWarn, now }));
}

async function openScreening(
  { configuration, channelOf, openerFor, now }: ServiceTools,
  keyFiles: KeyFiles,
  entry: ServiceEntry,
  servers: Parameters<typeof createScreening>[0]['servers'],
): Promise<ConnectionService> {
  const view = configuration.settingsFor(entry);
  const dnsblogEvents = channelOf(configuration.settings, 'dnsblog');
  const proxy = openerFor('tlsproxy', view);
  const tls = await openServerTls({
    settings: view,
    names: postscreenParameters,
    files: keyFiles,
    tables: proxy.tables,
    events: proxy.events,
    now,
  });
  return createScreening({
    entry,
    settings: view,
    ...openerFor('postscreen', view),
    resolver: resolverOf(dnsblogEvents),
    dnsblogEvents,
    now,
    tls: tls === undefined ? undefined : { server: tls, events: proxy.events },
    servers,
  });
}
