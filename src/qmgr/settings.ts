/** Settings of the queue manager as plain fields. qmgr(8) */
import type { Settings } from '#config';
import type { EventChannel } from '#events';
import { type Feedback, feedbackAt, parseFeedback, plainFeedback } from './feedback.ts';

export interface QmgrSettings {
  readonly activeLimit: number;
  /** Recipients in memory. qmgr_message_recipient_limit */
  readonly recipientLimit: number;
  /** Recipients of any message in memory. qmgr_message_recipient_minimum */
  readonly recipientMinimum: number;
  /** 0: no warnings. */
  readonly clogWarnMs: number;
  readonly queueRunDelayMs: number;
  readonly minimalBackoffMs: number;
  readonly maximalBackoffMs: number;
  readonly maximalLifetimeMs: number;
  readonly bounceLifetimeMs: number;
  /** 0: no warnings. */
  readonly delayWarningMs: number;
  readonly confirmsDelayCleared: boolean;
  readonly transportRetryMs: number;
  readonly deferTransports: readonly string[];
  readonly defaultFilterNexthop: string;
  readonly doubleBounceSender: string;
  readonly softBounce: boolean;
  /** address_verify_pending_request_limit */
  readonly probeLimit: number;
  /** address_verify_negative_cache */
  readonly keepsProbeFailures: boolean;
  /** destination_concurrency_feedback_debug */
  readonly tellsFeedback: boolean;
}

/** `warn` hears of values that only make sense with another one, and are taken otherwise. */
export function compileSettings(settings: Settings, warn: (text: string) => void): QmgrSettings {
  const activeLimit = settings.int('qmgr_message_active_limit');
  const recipientLimit = settings.int('qmgr_message_recipient_limit');
  if (recipientLimit < activeLimit) {
    const name = 'qmgr_message_recipient_limit';
    warn(`${name} is smaller than qmgr_message_active_limit - adjusting ${name}`);
  }
  const maximalLifetimeMs = settings.ms('maximal_queue_lifetime');
  const bounceLifetimeMs = settings.ms('bounce_queue_lifetime');
  if (bounceLifetimeMs > maximalLifetimeMs) {
    warn('bounce_queue_lifetime is larger than maximal_queue_lifetime - adjusting bounce_queue_lifetime');
  }
  return {
    activeLimit,
    recipientLimit: Math.max(recipientLimit, activeLimit),
    recipientMinimum: settings.int('qmgr_message_recipient_minimum'),
    clogWarnMs: settings.ms('qmgr_clog_warn_time'),
    queueRunDelayMs: settings.timerMs('queue_run_delay'),
    minimalBackoffMs: settings.ms('minimal_backoff_time'),
    maximalBackoffMs: settings.ms('maximal_backoff_time'),
    maximalLifetimeMs,
    bounceLifetimeMs: Math.min(bounceLifetimeMs, maximalLifetimeMs),
    confirmsDelayCleared: settings.bool('confirm_delay_cleared'),
    delayWarningMs: settings.ms('delay_warning_time'),
    transportRetryMs: settings.ms('transport_retry_time'),
    deferTransports: settings.list('defer_transports'),
    defaultFilterNexthop: settings.string('default_filter_nexthop'),
    doubleBounceSender: settings.string('double_bounce_sender'),
    softBounce: settings.bool('soft_bounce'),
    keepsProbeFailures: settings.bool('address_verify_negative_cache'),
    probeLimit: settings.int('address_verify_pending_request_limit'),
    tellsFeedback: settings.bool('destination_concurrency_feedback_debug'),
  };
}

/** Limits of one transport: `<transport>_…` with the defaults behind it. */
export interface TransportSettings {
  readonly initialConcurrency: number;
  /** 0: unlimited. */
  readonly concurrencyLimit: number;
  /** 0: unlimited. */
  readonly recipientLimit: number;
  readonly positiveFeedback: Feedback;
  readonly negativeFeedback: Feedback;
  readonly failedCohortLimit: number;
  readonly destinationRateDelayMs: number;
  readonly transportRateDelayMs: number;
  /** Deliveries after which a bulk message lets another one ahead; 0: never. */
  readonly slotCost: number;
  readonly slotLoan: number;
  /** Percent. */
  readonly slotDiscount: number;
  readonly minimumSlots: number;
  /** Recipients in memory. `_recipient_limit` */
  readonly roomSize: number;
  /** As many more for what got ahead of another message. `_extra_recipient_limit` */
  readonly extraRoomSize: number;
  /** Recipients that are worth a reading, and how long fewer of them wait for one. */
  readonly refillLimit: number;
  readonly refillDelayMs: number;
  /** Deliveries at once, from master.cf; 0: unlimited. */
  readonly processLimit: number;
}

/** The feedback that a transport's parameter asks for; what it can't mean is warned of. */
function feedbackOf(settings: Settings, transport: string, suffix: string, events: EventChannel): Feedback {
  const name = transport + suffix;
  const text = settings.string(name);
  const parsed = parseFeedback(text);
  if (parsed === undefined)
    events.emit({ kind: 'warning', text: `${name}: ignoring malformed or unreasonable feedback: ${text}` });
  const feedback = parsed ?? plainFeedback;
  if (settings.bool('destination_concurrency_feedback_debug')) {
    const window = settings.int('initial_destination_concurrency');
    events.emit({
      kind: 'feedbackForm',
      transport,
      parameter: settings.origin(name) === undefined ? `default${suffix}` : name,
      perWindow: feedback.perWindow,
      window,
      value: feedbackAt(feedback, window),
    });
  }
  return feedback;
}

export function compileTransport(
  settings: Settings,
  transport: string,
  processLimit: number,
  events: EventChannel,
): TransportSettings {
  const name = (suffix: string): string => transport + suffix;
  const initial = Math.max(1, settings.int(name('_initial_destination_concurrency')));
  const destinationRateDelayMs = settings.ms(name('_destination_rate_delay'));
  const concurrencyLimit = destinationRateDelayMs > 0 ? 1 : settings.int(name('_destination_concurrency_limit'));
  return {
    initialConcurrency: concurrencyLimit > 0 ? Math.min(initial, concurrencyLimit) : initial,
    concurrencyLimit,
    recipientLimit: settings.int(name('_destination_recipient_limit')),
    positiveFeedback: feedbackOf(settings, transport, '_destination_concurrency_positive_feedback', events),
    negativeFeedback: feedbackOf(settings, transport, '_destination_concurrency_negative_feedback', events),
    failedCohortLimit: settings.int(name('_destination_concurrency_failed_cohort_limit')),
    destinationRateDelayMs,
    transportRateDelayMs: settings.ms(name('_transport_rate_delay')),
    slotCost: settings.int(name('_delivery_slot_cost')),
    slotLoan: settings.int(name('_delivery_slot_loan')),
    slotDiscount: settings.int(name('_delivery_slot_discount')),
    minimumSlots: settings.int(name('_minimum_delivery_slots')),
    roomSize: settings.int(name('_recipient_limit')),
    extraRoomSize: settings.int(name('_extra_recipient_limit')),
    refillLimit: settings.int(name('_recipient_refill_limit')),
    refillDelayMs: settings.ms(name('_recipient_refill_delay')),
    processLimit,
  };
}
