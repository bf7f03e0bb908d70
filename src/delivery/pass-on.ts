/** From one transport to another: mailbox_transport, fallback_transport, best_mx_transport. */
import { toExternal } from '#address';
import type { DeliveryAgent, DeliveryRequest, Status } from '#message';

/** The way to another transport; closed where there is none, which is a mistake in the configuration: mail waits. */
export type Passage =
  | {
      readonly isOpen: true;
      readonly agent: DeliveryAgent;
      /** The request as the agent gets it, but for its recipients. */
      readonly request: DeliveryRequest;
    }
  | { readonly isOpen: false; readonly warning: string; readonly status: Status };

function splitTarget(target: string): { readonly transport: string; readonly nexthop: string } {
  const [transport = '', ...rest] = target.split(':');
  return { transport, nexthop: rest.join(':') };
}

/**
 * Closed, too, where the recipient has been with the same transport and next hop before: it would come back for ever, and
 * leave no time for anybody else.
 *
 * @param target `transport` or `transport:nexthop`
 */
export function openPassage(
  agents: ReadonlyMap<string, DeliveryAgent>,
  target: string,
  request: DeliveryRequest,
): Passage {
  const { transport, nexthop: named } = splitTarget(target);
  const nexthop = named || request.nexthop;
  const stations = [...(request.passedBy ?? []), `${request.transport}:${request.nexthop}`];
  if (stations.includes(`${transport}:${nexthop}`)) {
    const warning = `${request.queueId}: transport ${target} is one that passes the mail on`;
    return { isOpen: false, warning, status: { code: '4.3.5', reason: 'mail system configuration error' } };
  }
  const agent = agents.get(transport);
  if (agent === undefined) {
    const status = { code: '4.3.0', reason: 'mail transport unavailable' };
    return { isOpen: false, warning: `unknown transport: ${target}`, status };
  }
  return { isOpen: true, agent, request: { ...request, transport, nexthop, passedBy: stations } };
}

/** What the log says of a recipient that is passed on. */
export function passageNote({ queueId }: DeliveryRequest, address: string, target: string): string {
  return `${queueId}: passing <${toExternal(address)}> to transport=${splitTarget(target).transport}`;
}
