/** The delivery agents of master.cf: transport name → agent. */
import { type Bouncer, createSessionNotifier } from '#bounce';
import type { Configuration, ServiceEntry, Settings } from '#config';
import { createDiscardAgent, createErrorAgent, type DelivererPool, inTurn } from '#delivery';
import { createLocalAgent } from '#delivery/local';
import { createPipeAgent } from '#delivery/pipe';
import { createSmtpAgent } from '#delivery/smtp';
import { createVirtualAgent } from '#delivery/virtual';
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
  const { configuration } = parts;
  const agents = new Map<string, DeliveryAgent>();
  for (const service of configuration.services.filter(({ type }) => type === 'unix')) {
    const agent = agentOf(service, configuration.settingsFor(service), parts, agents);
    if (agent !== undefined) agents.set(service.name, agent);
  }
  return agents;
}

/** Undefined for a service that is no delivery agent. `agents`: all of them in the end, for mail that is passed on. */
function agentOf(
  service: ServiceEntry,
  settings: Settings,
  parts: AgentParts,
  agents: ReadonlyMap<string, DeliveryAgent>,
): DeliveryAgent | undefined {
  const { rewriter, submission, bouncer, deliverers, now, openerFor } = parts;
  const opened = (): OpenedService => openerFor(service.command, settings);
  switch (service.command) {
    case 'smtp':
    case 'lmtp':
      return smtpAgent(service, service.command, settings, parts, agents);
    case 'error':
      return createErrorAgent({
        service: service.name === 'retry' ? 'retry' : 'error',
        settings,
        events: opened().events,
        now,
      });
    case 'discard':
      return createDiscardAgent({ events: opened().events, now });
    case 'virtual':
      return inTurn(createVirtualAgent({ settings, rewriter, deliverers, now, hostname: hostname(), ...opened() }));
    case 'local': {
      const mail = { rewriter, submission, bouncer, deliverers, agents };
      return inTurn(createLocalAgent({ settings, now, hostname: hostname(), ...mail, ...opened() }));
    }
    case 'pipe':
      return inTurn(createPipeAgent({ entry: service, settings, deliverers, now, ...opened() }));
    default:
      return undefined;
  }
}

function smtpAgent(
  service: ServiceEntry,
  protocol: 'smtp' | 'lmtp',
  settings: Settings,
  { rewriter, hostLookup, submission, now, openerFor, keyFiles }: AgentParts,
  agents: ReadonlyMap<string, DeliveryAgent>,
): DeliveryAgent {
  const { tables, events } = openerFor(service.command, settings);
  const resolver = resolverOf(events);
  return createSmtpAgent({
    settings,
    service,
    protocol,
    resolver,
    searchList: resolver.conf,
    hostLookup,
    rewriter,
    clock: { now },
    notifyPostmaster: createSessionNotifier({
      speaker: protocol === 'smtp' ? 'SMTP client' : 'LMTP client',
      submission,
      settings,
      warn: (text) => events.emit({ kind: 'warning', text }),
      now,
    }),
    tables,
    events,
    agents,
    ...(keyFiles && { keyFiles }),
  });
}
