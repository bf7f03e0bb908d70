/** local(8): one recipient at a time, through aliases and .forward files to mailboxes, commands and other addresses. */
import { toExternal } from '#address';
import type { Bouncer } from '#bounce';
import type { Settings } from '#config';
import type { EventChannel } from '#events';
import type { DeliveryAgent, DeliveryRequest, Outcome, RequestRecipient, SubmissionPort } from '#message';
import { UserDatabaseError } from '#native';
import type { Rewriter } from '#rewrite';
import type { TableOpener } from '#tables';
import type { DelivererPool } from '../deliverer.ts';
import { deliveredToFields } from '../mailbox-copy.ts';
import { openPassage } from '../pass-on.ts';
import { mailboxLimitProblem } from '../mailbox-limit.ts';
import { createStoppedAgent } from '../stopped-agent.ts';
import { openStatusFilter } from '../status-filter.ts';
import { createBiff } from './biff.ts';
import { DoneBefore, ExpansionSteps, MemberOutcomes, mostSteps } from './bounds.ts';
import { concludeFailed, warn } from './conclude.ts';
import { Forwards } from './forwards.ts';
import type { Ending, Job, LocalParts, Place } from './job.ts';
import { deliverToAddress } from './recipient.ts';
import { submitForwards } from './resubmit.ts';
import { readLocalSettings } from './settings.ts';

export interface LocalAgentOptions {
  readonly settings: Settings;
  readonly tables: TableOpener;
  readonly rewriter: Rewriter;
  readonly submission: SubmissionPort;
  readonly bouncer: Pick<Bouncer, 'notify'>;
  readonly deliverers: DelivererPool;
  readonly events: EventChannel;
  readonly hostname: string;
  readonly now: () => number;
  /** The agents of all transports, for mailbox_transport and fallback_transport. */
  readonly agents: ReadonlyMap<string, DeliveryAgent>;
  /** How many members all aliases and files that one recipient leads to may have. */
  readonly mostSteps?: number;
}

const nothingDone: Ending = { kind: 'sent', status: { code: '2.0.0', reason: 'discarded' } };

/** What the recipient as a whole has come to: one member that waits keeps all of it waiting. */
function summary({ outcomes: { list: outcomes }, recipient, request }: Job): Outcome {
  const of = (kind: Outcome['kind']): Ending | undefined => outcomes.find((outcome) => outcome.kind === kind);
  const { kind, status } = of('deferred') ?? of('undeliverable') ?? of('bounced') ?? outcomes[0] ?? nothingDone;
  const isItself = outcomes.every(
    ({ address, sender }) => address === recipient.address && sender === request.envelope.sender,
  );
  // mail that is forwarded to one address is passed on, not delivered
  const [only] = outcomes.length === 1 ? outcomes : [];
  const { action, relay } = only ?? { action: 'delivered', relay: 'local' };
  return {
    index: recipient.index,
    kind,
    // another agent may have made the delivery
    ...(relay === undefined ? {} : { relay }),
    status,
    ...(kind === 'sent' && action !== undefined ? { action } : {}),
    ...(isItself && outcomes.length < 2 ? {} : { members: outcomes }),
  };
}

async function deliverOne(parts: LocalParts, request: DeliveryRequest, recipient: RequestRecipient): Promise<Outcome> {
  const { settings, mostSteps } = parts;
  const { sender } = request.envelope;
  const { address } = recipient;
  const been = await deliveredToFields(request);
  const job: Job = {
    parts,
    request,
    recipient,
    sender,
    forwards: new Forwards({ ...parts, request }),
    seen: new DoneBefore(settings.duplicateFilterLimit),
    steps: new ExpansionSteps(mostSteps),
    been,
    outcomes: new MemberOutcomes(),
  };
  const place: Place = {
    level: 0,
    from: '',
    kind: 'none',
    rights: undefined,
    owner: '',
    sender,
    isList: false,
    deliveredTo: address,
    unmatched: '',
  };
  try {
    await expand(job, place);
  } finally {
    job.forwards.abort();
  }
  return summary(job);
}

async function expand(job: Job, place: Place): Promise<void> {
  const { address } = job.recipient;
  try {
    await deliverToAddress(job, place, address);
  } catch (error) {
    if (!(error instanceof UserDatabaseError)) throw error;
    // a directory service that is down makes nobody unknown
    warn(job, `error looking up passwd info: ${error.message}`);
    await concludeFailed(job, address, '4.0.0', 'user lookup error');
  }
  if (job.steps.areUsedUp) {
    warn(job, `${job.request.queueId}: too many members in the expansion of ${toExternal(address)}`);
    await concludeFailed(job, address, '5.4.6', 'recipient expansion limit exceeded');
  }
  // what waits is expanded again later, and would be forwarded twice
  if (job.outcomes.deferred === 0) await submitForwards(job);
}

export function createLocalAgent(options: LocalAgentOptions): DeliveryAgent {
  const { settings, tables, agents, ...rest } = options;
  const problem = mailboxLimitProblem(settings, 'mailbox_size_limit');
  if (problem !== undefined) return createStoppedAgent(`configuration error: ${problem}`, options);
  const localSettings = readLocalSettings(settings, tables);
  const biff = localSettings.tellsNewMail ? createBiff() : undefined;
  const parts: LocalParts = {
    mostSteps,
    ...rest,
    settings: localSettings,
    tellNewMail: biff?.tell,
    statusFilter: openStatusFilter('local_delivery_status_filter', { tables, events: rest.events }),
    openPassage: (target, request) => openPassage(agents, target, request),
    toAddress: deliverToAddress,
  };
  return {
    async deliver(request, report) {
      for (const recipient of request.recipients) report(await deliverOne(parts, request, recipient));
      return {};
    },
    close() {
      biff?.close();
    },
  };
}
