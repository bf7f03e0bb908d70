/** One message through cleanup with a configuration of its own, and what became of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCleanup } from '#cleanup';
import { openSettings } from '#config';
import { renderPostfixText } from '#events';
import {
  type Envelope,
  internalEnvelope,
  type Notify,
  type Recipient,
  type SubmissionAction,
  type SubmissionOptions,
} from '#message';
import { createRewriter } from '#rewrite';
import { TableOpener } from '#tables';

export interface Taken {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** What each was before it was rewritten. */
  readonly originals: readonly string[];
  /** What each was for DSNs. */
  readonly dsnOriginals: readonly string[];
  /** Each with what its sender asked to hear, and aliases that were expanded. */
  readonly notify: readonly string[];
  readonly expanded: readonly string[];
  /** How many recipients the store was given at a time. */
  readonly loads: readonly number[];
  /** As it was committed. */
  readonly envelope: Partial<Envelope>;
  readonly content: string;
  /** The same as it is stored. */
  readonly bytes: Buffer;
  readonly log: readonly string[];
  /** `queued`, or code and text of the refusal. */
  readonly reply: string;
  /** Of a refused message: the header section that goes back. */
  readonly returnedHeader: string;
  readonly returnedId: string;
}

export interface Given {
  readonly sender?: string;
  readonly recipients?: readonly string[];
  readonly notify?: readonly Notify[];
  /** Several: written one after the other. */
  readonly content?: string | Buffer | readonly Buffer[];
  readonly fullName?: string;
  readonly rewriteContext?: 'local' | 'remote';
  readonly requireTls?: boolean;
  /** As MAIL FROM announced it. */
  readonly encoding?: Envelope['encoding'];
  readonly action?: SubmissionAction;
  readonly source?: SubmissionOptions['source'];
  readonly overrides?: SubmissionOptions['overrides'];
  /** What main.cf says where the cleanup service has `-o`. */
  readonly routingCf?: string;
}

export class Workbench {
  readonly #directory = mkdtempSync(join(tmpdir(), 'cleanup-'));

  close(): void {
    rmSync(this.#directory, { recursive: true });
  }

  async take(mainCf: string, given: Given): Promise<Taken> {
    const {
      sender = 's@s.example',
      recipients = ['r@r.example'],
      source = 'smtpd',
      fullName = '',
      notify = [],
      overrides = [],
      rewriteContext = 'local',
      requireTls = false,
      encoding = '',
      action,
      routingCf = '',
    } = given;
    const { content = 'Message-ID: <1@x>\r\n\r\nx\r\n' } = given;
    const base = 'compatibility_level = 3.6\nmyhostname = mail.example.com\n';
    writeFileSync(join(this.#directory, 'main.cf'), base + mainCf);
    const { settings } = openSettings(this.#directory);
    writeFileSync(join(this.#directory, 'main.cf'), `${base}${mainCf}\n${routingCf}\n`);
    const { settings: routing } = openSettings(this.#directory);
    const log: string[] = [];
    const warn = (text: string): void => void log.push(text);
    const tables = new TableOpener({ settings, configDirectory: this.#directory, warn });
    const written: Buffer[] = [];
    let loads: (readonly Recipient[])[] = [];
    let committed: Partial<Envelope> = {};
    const cleanup = createCleanup({
      settings,
      tables,
      events: { emit: (event) => void log.push(renderPostfixText(event)) },
      rewriter: createRewriter({ settings: routing, tables, warn }),
      store: {
        begin: () => ({
          queueId: 'ABC',
          addRecipients: (some) => void loads.push([...some]),
          forgetRecipients: () => {
            loads = [];
          },
          write: (chunk) => void written.push(Buffer.from(chunk)),
          commit: (message) => {
            loads.push(message.recipients);
            committed = message.envelope;
            return Promise.resolve();
          },
          abort: () => undefined,
        }),
      },
    });
    const envelope = { ...internalEnvelope(sender, 0, 'mail'), fullName, rewriteContext, requireTls, encoding };
    const message = cleanup.open({ source, overrides, envelope, prepend: Buffer.alloc(0) });
    if (action !== undefined) message.apply(action);
    for (const address of recipients) {
      await message.addRecipient({ address, original: address, dsnOriginal: '', notify });
    }
    const chunks =
      typeof content === 'string' ? [Buffer.from(content)] : Buffer.isBuffer(content) ? [content] : content;
    for (const chunk of chunks) await message.write(chunk);
    const result = await message.end();
    const reply = result.kind === 'refused' ? `${result.code} ${result.dsn} ${result.text}` : 'queued';
    const returnedHeader = result.kind === 'refused' ? (result.returned?.header?.toString() ?? '') : '';
    const returnedId = result.kind === 'refused' ? (result.returned?.messageId ?? '') : '';
    const all = loads.flat();
    return {
      sender: committed.sender ?? '',
      recipients: all.map(({ address }) => address),
      originals: all.map(({ original }) => original),
      dsnOriginals: all.map(({ dsnOriginal }) => dsnOriginal),
      notify: all.map(({ address, notify: asked }) => `${address} ${asked.join()}`),
      expanded: (committed.expanded ?? []).map(({ address }) => address),
      loads: loads.map(({ length }) => length),
      envelope: committed,
      returnedHeader,
      returnedId,
      content: Buffer.concat(written).toString(),
      bytes: Buffer.concat(written),
      log,
      reply,
    };
  }
}
