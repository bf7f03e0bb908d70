/**
 * What a client would be answered and where its mail would go: the SMTP server, cleanup and routing of a configuration,
 * joined without sockets and without a queue. An onlooker hears what each of them asks. `posthorn explain`
 */
import { createCleanup } from '#cleanup';
import { ConfigError, loadConfiguration, type Settings } from '#config';
import { systemResolver } from '#dns';
import { type EventChannel, renderPostfixText } from '#events';
import { createRewriter } from '#rewrite';
import {
  compileSmtpdSettings,
  createPolicyChecks,
  type Decision,
  dunno,
  rehearse,
  rehearsedLogin,
  serviceProblem,
} from '#smtpd';
import type { NewMessage } from '#store';
import { TableOpener, type TableQuestion } from '#tables';
import { demandsTls } from '#tls';
import { filteredResolver } from '../filtered-resolver.ts';
import { createNetwork, reasonToAvoid } from './network.ts';
import { nowhere, observed } from './queue.ts';
import type { Rehearsal, RehearsalOnlooker, RehearsalOptions } from './rehearsal.ts';
import { findService } from './service.ts';
import { createWayfinder } from './way.ts';

/** Throws ConfigError when the configuration can't be used, or has no such service. */
export function openRehearsal(options: RehearsalOptions): Rehearsal {
  const { directory, service, isOffline, onlooker } = options;
  const configuration = loadConfiguration(directory, { allowsUnsupported: true });
  const entry = findService(configuration, service);
  const view = configuration.settingsFor(entry);
  const problem = serviceProblem(view);
  if (problem !== undefined) throw new ConfigError([...problem.warnings, problem.fatal]);
  const events: EventChannel = { emit: (event) => onlooker.log(event, renderPostfixText(event)) };
  const warn = (text: string): void => events.emit({ kind: 'warning', text });
  const openers: TableOpener[] = [];
  const substitutes = new Set<string>();
  const openerFor = (settings: Settings, asker: Parameters<RehearsalOnlooker['table']>[1]): TableOpener => {
    const observe = (question: TableQuestion): void => onlooker.table(question, asker);
    const onForeignSource = (note: string): void => void substitutes.add(note);
    const opener = new TableOpener({ settings, configDirectory: directory, warn, observe, onForeignSource });
    openers.push(opener);
    return opener;
  };
  const network = createNetwork(isOffline, onlooker, options.resolver ?? systemResolver({ warn }));
  /** The client's name was neither given nor looked up. */
  let isNameless = false;
  const rewriter = createRewriter({
    settings: configuration.settings,
    tables: openerFor(configuration.settings, 'rewrite'),
    warn,
  });
  const tables = openerFor(view, 'smtpd');
  const cleanupEntry = configuration.services.find(
    ({ command, name }) => command === 'cleanup' && name === view.string('cleanup_service_name'),
  );
  const cleanupView = cleanupEntry === undefined ? configuration.settings : configuration.settingsFor(cleanupEntry);
  const written: NewMessage[] = [];
  const submission = createCleanup({
    settings: cleanupView,
    tables: openerFor(cleanupView, 'cleanup'),
    rewriter,
    store: nowhere(written),
    events,
  });
  // a filter would get the message
  const settings = { ...compileSmtpdSettings(view, entry, tables), proxyFilter: undefined };
  const policy = createPolicyChecks({
    settings: view,
    tables,
    events,
    rewriter,
    resolver: filteredResolver(network.resolver, view, { tables, events }),
    hostLookup: network.hostLookup,
    onlooker: {
      tell: (event) => {
        if (event.kind === 'asked') network.wasAsked = false;
        onlooker.policy(event);
      },
      instead: (restriction) => {
        const reason = reasonToAvoid(restriction, { isOffline, isNameless });
        if (reason === undefined) return undefined;
        onlooker.avoided(reason);
        return dunno;
      },
      reviewed: (decision: Decision) => {
        if (!isOffline || !network.wasAsked) return decision;
        onlooker.avoided('it needs DNS');
        return dunno;
      },
    },
  });
  const login = rehearsedLogin(view, tables);
  // nobody else gets an answer there
  const isTlsDemanded = demandsTls(view);
  return {
    configuration,
    service: entry,
    settings: view,
    substitutes,
    converse(client, conversation) {
      isNameless = isOffline && client.name === undefined;
      return rehearse(
        {
          settings,
          policy,
          submission: observed(submission, written, onlooker),
          rewriter,
          hostLookup: network.hostLookup,
          events,
          now: () => Date.now(),
          freeBytes: () => Number.MAX_SAFE_INTEGER,
          flushSite: () => Promise.resolve(false),
          login,
        },
        {
          ...client,
          isEncrypted: client.isEncrypted || isTlsDemanded,
          ...(isNameless ? { name: 'unknown' } : {}),
        },
        conversation,
      );
    },
    wayOf: createWayfinder({ configuration, settings, submission, rewriter, written }),
    close() {
      for (const opener of openers) opener.closeAll();
    },
  };
}
