/** The delivery agents of master.cf: transport name → agent. */
import { createSessionNotifier } from '#bounce';
import type { Configuration } from '#config';
import { createDiscardAgent, createErrorAgent, type DelivererPool, inTurn } from '#delivery';
import { createLocalAgent } from '#delivery/local';
import { createPipeAgent } from '#delivery/pipe';
import { createSmtpAgent } from '#delivery/smtp';
import { createVirtualAgent } from '#delivery/virtual';
import type { Bouncer } from '#bounce';
import type { HostLookup } from '#dns';
import type { DeliveryAgent, SubmissionPort } from '#message';
import type { Rewriter } from '#rewrite';
import type { KeyFiles } from '#tls';
import { hostname } from 'node:os';
import { type OpenedService, resolverOf, type ServiceTools } from './service-tools.ts';

export interface AgentParts {
  readonly configuration: Configuration;
  readonly rewriter: Rewriter;
  readonly hostLookup: HostLookup;
  readonly submission: SubmissionPort;
  readonly bouncer: Bouncer;
  readonly deliverers: DelivererPool;
  readonly now: () => number;
  readonly openerFor: ServiceTools['openerFor'];
  readonly keyFiles?: KeyFiles;
}

export function createAgents(parts: AgentParts): ReadonlyMap<string, DeliveryAgent> {
  const { configuration, rewriter, hostLookup, submission, bouncer, deliverers, now, openerFor, keyFiles } = parts;
  const agents = new Map<string, DeliveryAgent>();
  for (const service of configuration.services.filter((entry) => entry.type === 'unix')) {
    const settings = configuration.settingsFor(service);
    const opened = (): OpenedService => openerFor(service.command, settings);
    switch (service.command) {
      case 'smtp':
      case 'lmtp': {
        const { tables, events } = opened();
        const resolver = resolverOf(events);
        agents.set(
          service.name,
          createSmtpAgent({
            settings,
            service,
            protocol: service.command,
            resolver,
            searchList: resolver.conf,
            hostLookup,
            rewriter,
            clock: { now },
            notifyPostmaster: createSessionNotifier({
              speaker: service.command === 'smtp' ? 'SMTP client' : 'LMTP client',
              submission,
              settings,
              warn: (text) => events.emit({ kind: 'warning', text }),
              now,
            }),
            tables,
            events,
            agents,
            ...(keyFiles && { keyFiles }),
          }),
        );
        break;
      }
      case 'error':
        agents.set(
          service.name,
          createErrorAgent({
            service: service.name === 'retry' ? 'retry' : 'error',
            settings,
            events: opened().events,
            now,
          }),
        );
        break;
      case 'discard':
        agents.set(service.name, createDiscardAgent({ events: opened().events, now }));
        break;
      case 'virtual':
        agents.set(
          service.name,
          inTurn(createVirtualAgent({ settings, rewriter, deliverers, now, hostname: hostname(), ...opened() })),
        );
        break;
      case 'local':
        agents.set(
          service.name,
          inTurn(
            createLocalAgent({
              settings,
              rewriter,
              submission,
              bouncer,
              deliverers,
              now,
              hostname: hostname(),
              agents,
              ...opened(),
            }),
          ),
        );
        break;
      case 'pipe':
        agents.set(service.name, inTurn(createPipeAgent({ entry: service, settings, deliverers, now, ...opened() })));
        break;
      default:
        break;
    }
  }
  return agents;
}
