/** What a command asks a running system for: a line of JSON on a control socket. postqueue(1), postsuper(1), postlog(1) */
import type { MessageSelector } from '#store';

/** A line for the log, as who asks would have written it. */
export interface LogLine {
  readonly tag: string;
  readonly pid: number;
  readonly kind: 'note' | 'warning' | 'error' | 'fatal';
  readonly text: string;
}

export interface ControlRequest {
  readonly operation: string;
  readonly queueIds: readonly string[] | undefined;
  readonly queues: MessageSelector['queues'];
  readonly site: string;
  readonly line: LogLine | undefined;
}

const lineKinds = ['note', 'warning', 'error', 'fatal'] as const;

function parseLine(value: object): LogLine | undefined {
  if (!('line' in value) || typeof value.line !== 'object' || value.line === null) return undefined;
  const { line } = value;
  const kind = lineKinds.find((name) => 'kind' in line && line.kind === name);
  if (kind === undefined || !('tag' in line) || !('pid' in line) || !('text' in line)) return undefined;
  return { kind, tag: String(line.tag), pid: Number(line.pid), text: String(line.text) };
}

const queueNames = ['incoming', 'active', 'deferred', 'hold', 'corrupt', 'maildrop'] as const;

/** Undefined: it is none. */
export function parseRequest(line: string): ControlRequest | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || !('operation' in value)) return undefined;
    const ids = 'queueIds' in value && Array.isArray(value.queueIds) ? value.queueIds.map(String) : undefined;
    const named = 'queues' in value && Array.isArray(value.queues) ? value.queues.map(String) : undefined;
    return {
      operation: String(value.operation),
      queueIds: ids,
      queues: named === undefined ? undefined : queueNames.filter((name) => named.includes(name)),
      site: 'site' in value ? String(value.site) : '',
      line: parseLine(value),
    };
  } catch {
    return undefined; // not JSON: answered as a bad request
  }
}
