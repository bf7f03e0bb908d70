/** Where an accepted message would go: through cleanup and routing, with nothing kept. */
import type { Configuration } from '#config';
import type { SubmissionPort } from '#message';
import { compileQmgrSettings, routeRecipient } from '#qmgr';
import type { Rewriter } from '#rewrite';
import type { SmtpdSettings } from '#smtpd';
import type { NewMessage } from '#store';
import { emptyEnvelope } from './queue.ts';
import type { Delivery, Rehearsal } from './rehearsal.ts';

interface Wayfinding {
  readonly configuration: Configuration;
  readonly settings: Pick<SmtpdSettings, 'contentFilter' | 'overrides'>;
  readonly submission: SubmissionPort;
  readonly rewriter: Rewriter;
  /** Where `submission` leaves what it would have queued. */
  readonly written: NewMessage[];
}

export function createWayfinder(options: Wayfinding): Rehearsal['wayOf'] {
  const { configuration, settings, submission, rewriter, written } = options;
  const routing = {
    settings: compileQmgrSettings(configuration.settings, () => undefined),
    resolve: rewriter.resolve.bind(rewriter),
    isFullOfProbes: false,
  };

  async function deliveryOf(message: NewMessage, index: number): Promise<Delivery | undefined> {
    const recipient = message.recipients[index];
    if (recipient === undefined) return undefined;
    const route = await routeRecipient(message, { ...recipient, index }, routing);
    const resolution = await rewriter.resolve(message.envelope.sender, recipient.address);
    const addressClass = resolution.kind === 'resolved' ? resolution.addressClass : undefined;
    const kind = recipient.notify.includes('never') ? 'copy' : 'recipient';
    if (route.kind === 'decided') {
      const { outcome, status } = route;
      const next = { kind: 'decided', outcome, code: status.code, reason: status.reason } as const;
      return { recipient: recipient.address, kind, addressClass, next };
    }
    const { transport, nexthop } = route;
    const agent = configuration.services.find(({ type, name }) => type === 'unix' && name === transport);
    const isFilter = message.envelope.contentFilter !== '';
    return {
      recipient: route.recipient.address,
      kind,
      addressClass,
      next: { kind: 'deliver', transport, nexthop, entry: agent, isFilter },
    };
  }

  return async (sender, recipient, actions) => {
    const message = submission.open({
      envelope: emptyEnvelope(sender, settings.contentFilter),
      source: 'smtpd',
      overrides: settings.overrides,
      prepend: Buffer.alloc(0),
    });
    for (const action of actions) if (action.kind !== 'prepend') message.apply(action);
    await message.addRecipient({ address: recipient, original: recipient, dsnOriginal: '', notify: [] });
    written.length = 0;
    const result = await message.end();
    if (result.kind === 'refused') return { kind: 'refused', reply: `${result.code} ${result.dsn} ${result.text}` };
    const [queued] = written;
    if (queued === undefined) return { kind: 'discarded' };
    const deliveries: Delivery[] = [];
    for (const index of queued.recipients.keys()) {
      const delivery = await deliveryOf(queued, index);
      if (delivery !== undefined) deliveries.push(delivery);
    }
    return { kind: 'queued', queue: queued.queue, sender: queued.envelope.sender, deliveries };
  };
}
