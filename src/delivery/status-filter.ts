/** *_delivery_status_filter: a table that rewrites code and text of what became of a recipient. postconf(5) */
import type { EventChannel } from '#events';
import { failureKind, type MaybePromise, type OutcomeKind, type Status, whenReady } from '#message';
import type { TableList, TableOpener } from '#tables';

export interface StatusFilterParts {
  readonly tables: TableOpener;
  readonly events: EventChannel;
}

/** How a recipient ended: the filter decides whether a failure is final. */
export interface Judged {
  readonly kind: OutcomeKind;
  readonly status: Status;
}

export class StatusFilter {
  readonly #parameter: string;
  readonly #tables: TableList;
  readonly #events: EventChannel;

  constructor(parameter: string, tables: TableList, events: EventChannel) {
    this.#parameter = parameter;
    this.#tables = tables;
    this.#events = events;
  }

  apply(kind: OutcomeKind, status: Status): MaybePromise<Judged> {
    const found = this.#tables.lookup(`${status.code} ${status.reason}`);
    return whenReady(found, (result) => {
      switch (result.kind) {
        case 'found':
          return this.#replaced(kind, status, result.value);
        case 'missing':
        case 'failed':
          return { kind, status };
      }
    });
  }

  /** Code and text may change, and hard become soft or the reverse, but not success failure. */
  #replaced(kind: OutcomeKind, status: Status, value: string): Judged {
    const parts = /^([245]\.\d{1,3}\.\d{1,3})(?:\s+(.*))?$/s.exec(value);
    const [, code = '', reason = ''] = parts ?? [];
    const isSuccess = kind === 'sent' || kind === 'deliverable';
    if (parts === null || code.startsWith('2') !== isSuccess) {
      const text = `${this.#parameter}: bad status code: ${value}`;
      this.#events.emit({ kind: 'warning', text });
      return { kind, status };
    }
    const isFailure = kind === 'deferred' || kind === 'bounced';
    return {
      kind: isFailure ? failureKind(code) : kind,
      status: { ...status, code, reason: reason === '' ? status.reason : reason },
    };
  }
}

/** Undefined: the parameter names no table. */
export function openStatusFilter(parameter: string, { tables, events }: StatusFilterParts): StatusFilter | undefined {
  const list = tables.listOf(parameter);
  return list.isEmpty ? undefined : new StatusFilter(parameter, list, events);
}
