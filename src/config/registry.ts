/**
 * The parameter registry: every name of postconf(5), with default, kind and bounds. `postconf`, the typed settings and
 * the checks at start all read it.
 */
import { allParameters } from './parameters/index.ts';
import { inertParameters, pendingParameters } from './parameters/without-effect.ts';
import { posthornParameters } from './posthorn-parameters.ts';

/** `raw` text is expanded by its user, with names of its own; `time:X` is a time value whose default unit is X; what words an `enum` or `list` may hold is said in closed-values.ts, or where it is used. */
export type ParameterKind =
  | 'string'
  | 'raw'
  | 'bool'
  | 'int'
  | 'enum'
  | 'list'
  | 'readOnly'
  | `time:${'s' | 'm' | 'h' | 'd' | 'w'}`;

export interface ParameterTraits {
  readonly min?: number;
  readonly max?: number;
  readonly nonEmpty?: boolean;
  /** Postfix has dropped it, or falls back to it when its successor is not set. */
  readonly obsolete?: 'deprecated' | 'legacy-fallback' | 'removed';
  readonly instead?: string;
}

/**
 * `implemented`: does what postconf(5) says. `inert`: about something that this program does not have. `pending`: asks
 * for something that is not there yet.
 */
export type ParameterStatus = 'implemented' | 'inert' | 'pending';

function statusOf(name: string): ParameterStatus {
  return inertParameters.has(name) ? 'inert' : pendingParameters.has(name) ? 'pending' : 'implemented';
}

/** As written in `parameters/`: name, default, kind, traits. */
export type ParameterRow = readonly [name: string, defaultValue: string, kind: string, traits?: ParameterTraits];

export interface Parameter extends ParameterTraits {
  readonly name: string;
  readonly defaultValue: string;
  readonly kind: ParameterKind;
  readonly status: ParameterStatus;
  /** Comes from a master.cf service name (`<transport>_…`). */
  readonly isPerService?: boolean;
}

/** Names that exist for each delivery transport of master.cf. qmgr(8), "PER-TRANSPORT" */
const transportSuffixes: readonly ParameterRow[] = [
  ['_delivery_slot_cost', '$default_delivery_slot_cost', 'int'],
  ['_delivery_slot_discount', '$default_delivery_slot_discount', 'int'],
  ['_delivery_slot_loan', '$default_delivery_slot_loan', 'int'],
  ['_destination_concurrency_failed_cohort_limit', '$default_destination_concurrency_failed_cohort_limit', 'int'],
  ['_destination_concurrency_limit', '$default_destination_concurrency_limit', 'int'],
  ['_destination_concurrency_negative_feedback', '$default_destination_concurrency_negative_feedback', 'string'],
  ['_destination_concurrency_positive_feedback', '$default_destination_concurrency_positive_feedback', 'string'],
  ['_destination_rate_delay', '$default_destination_rate_delay', 'time:s'],
  ['_destination_recipient_limit', '$default_destination_recipient_limit', 'int'],
  ['_extra_recipient_limit', '$default_extra_recipient_limit', 'int'],
  ['_initial_destination_concurrency', '$initial_destination_concurrency', 'int'],
  ['_minimum_delivery_slots', '$default_minimum_delivery_slots', 'int'],
  ['_recipient_limit', '$default_recipient_limit', 'int'],
  ['_recipient_refill_delay', '$default_recipient_refill_delay', 'time:s'],
  ['_recipient_refill_limit', '$default_recipient_refill_limit', 'int'],
  ['_transport_rate_delay', '$default_transport_rate_delay', 'time:s'],
];

function isKind(text: string): text is ParameterKind {
  return /^(?:string|raw|bool|int|enum|list|readOnly|time:[smhdw])$/.test(text);
}

function toParameter([name, defaultValue, kind, traits]: ParameterRow): Parameter {
  if (!isKind(kind)) throw new Error(`parameter ${name}: unknown kind ${kind}`);
  return { name, defaultValue, kind, status: statusOf(name), ...traits };
}

/** All parameters by name. */
export class ParameterRegistry {
  readonly #rows = new Map<string, ParameterRow>();
  readonly #made = new Map<string, Parameter>();
  readonly #perService = new Set<string>();
  readonly #unlisted = new Set<string>();

  constructor() {
    for (const rows of [allParameters, posthornParameters]) for (const row of rows) this.#rows.set(row[0], row);
  }

  /** Adds the names that a master.cf service brings: `<name>_time_limit` for pipe and spawn, the queue manager's for transports. */
  addService(name: string, command: string): void {
    const add = (row: ParameterRow): void => {
      this.#perService.add(row[0]);
      if (!this.#rows.has(row[0])) this.#rows.set(row[0], row);
      // the queue manager reads these too, but Postfix's tools don't know them
      if (command === 'discard') this.#unlisted.add(row[0]);
    };
    if (['smtp', 'lmtp', 'local', 'virtual', 'pipe', 'error', 'discard'].includes(command)) {
      for (const [suffix, value, kind] of transportSuffixes) add([name + suffix, value, kind]);
    }
    if (command === 'pipe' || command === 'spawn') add([`${name}_time_limit`, '$command_time_limit', 'time:s']);
  }

  get(name: string): Parameter | undefined {
    const made = this.#made.get(name);
    if (made !== undefined) return made;
    const row = this.#rows.get(name);
    if (row === undefined) return undefined;
    const parameter = { ...toParameter(row), ...(this.#perService.has(name) ? { isPerService: true } : {}) };
    this.#made.set(name, parameter);
    return parameter;
  }

  /** Whether the program alone knows the value: who assigns one says nothing. postconf(5) process_name */
  isReadOnly(name: string): boolean {
    return this.#rows.get(name)?.[1] === 'read-only';
  }

  /** Whether Postfix's tools know the name, too. */
  isListed(name: string): boolean {
    return this.#rows.has(name) && !this.#unlisted.has(name);
  }

  /** All names that Postfix's tools know, sorted. */
  names(): readonly string[] {
    return [...this.#rows.keys()].filter((name) => this.isListed(name)).toSorted();
  }
}
