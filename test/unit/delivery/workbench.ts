/** Agents that deliver to users, as a configuration describes them; what they ask of deliverers is answered by the test. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadConfiguration, type Settings } from '#config';
import type { DelivererPool } from '#delivery';
import type { Bouncer } from '#bounce';
import { renderPostfixText } from '#events';
import type { DeliveryAgent, DeliveryRequest, Outcome, SubmissionPort, SubmittedRecipient } from '#message';
import { createRewriter, type Rewriter } from '#rewrite';
import { TableOpener } from '#tables';

export interface Parts {
  readonly settings: Settings;
  readonly tables: TableOpener;
  readonly rewriter: Rewriter;
  readonly submission: SubmissionPort;
  readonly bouncer: Pick<Bouncer, 'notify'>;
  readonly agents: ReadonlyMap<string, DeliveryAgent>;
  readonly deliverers: DelivererPool;
  readonly events: { readonly emit: (event: Parameters<typeof renderPostfixText>[0]) => void };
  readonly hostname: string;
  readonly now: () => number;
}

/** What is asked of a deliverer, and as whom. */
export type Asked = Parameters<DelivererPool['run']>[2] & { readonly uid: number };
export type Answer = (asked: Asked) => Awaited<ReturnType<DelivererPool['run']>>;

export interface Delivered {
  readonly outcomes: readonly Outcome[];
  readonly log: readonly string[];
  readonly asked: readonly Asked[];
  /** Recipients of messages that go on. */
  readonly forwarded: readonly SubmittedRecipient[];
}

const mainCf = 'compatibility_level = 3.11\nmyhostname = mail.example.com\nmydestination = mail.example.com\n';

/** Has one request delivered. */
export async function deliver(
  create: (parts: Parts) => DeliveryAgent,
  request: DeliveryRequest,
  lines: string,
  answer: Answer,
  actsAsRoot = true,
): Promise<Delivered> {
  const directory = mkdtempSync(join(tmpdir(), 'delivery-'));
  writeFileSync(join(directory, 'main.cf'), mainCf + lines);
  writeFileSync(join(directory, 'master.cf'), '');
  const { settings } = loadConfiguration(directory);
  const log: string[] = [];
  const asked: Asked[] = [];
  const outcomes: Outcome[] = [];
  const forwarded: SubmittedRecipient[] = [];
  const tables = new TableOpener({ settings, configDirectory: directory, warn: (text) => log.push(text) });
  const agent = create({
    settings,
    tables,
    rewriter: createRewriter({ settings, tables, warn: (text) => log.push(text) }),
    submission: {
      open: () => ({
        queueId: 'NEW',
        addRecipient: (recipient) => void forwarded.push(recipient),
        apply: () => undefined,
        write: () => undefined,
        end: () => Promise.resolve({ kind: 'queued', queueId: 'NEW' }),
        abort: () => undefined,
      }),
    },
    bouncer: {
      notify: async (kind, _message, recipients, to = '') => {
        const names = (await Array.fromAsync(recipients))
          .flat()
          .map(({ recipient }) => `${recipient.address} "${recipient.original}"`);
        log.push(`notice of ${kind} to ${to}: ${names.join()}`);
        return { ok: true };
      },
    },
    agents: new Map(),
    deliverers: {
      actsAsRoot,
      run: (uid, _gid, wanted) => {
        asked.push({ ...wanted, uid });
        return Promise.resolve(answer({ ...wanted, uid }));
      },
      close: () => undefined,
    },
    events: { emit: (event) => void log.push(renderPostfixText(event)) },
    hostname: 'mail',
    now: () => 0,
  });
  try {
    await agent.deliver(request, (outcome) => outcomes.push(outcome));
  } finally {
    await agent.close?.();
    tables.closeAll();
    rmSync(directory, { recursive: true });
  }
  return { outcomes, log, asked, forwarded };
}

/** How a deliverer answers for a command that did its work and said nothing. */
export const endedWell = {
  kind: 'ended',
  status: 0,
  signal: 0,
  output: '',
  timedOut: false,
  failure: '',
  isFailurePrinted: false,
} as const;
