/** An SMTP server over an in-memory stream, with a queue that remembers what it got. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Duplex, duplexPair } from 'node:stream';
import { openSettings } from '#config';
import { type MailEvent, renderPostfixText } from '#events';
import type { SubmissionOptions, SubmissionPort, SubmissionResult } from '#message';
import { createRewriter } from '#rewrite';
import type { LoginServer } from '#sasl';
import {
  compileSmtpdSettings,
  createSmtpServer,
  loginSettingsWith,
  type PolicyChecks,
  type SessionFacts,
  type SmtpServer,
  type Verdict,
} from '#smtpd';
import type { SessionNotice } from '#smtp';
import { TableOpener } from '#tables';

export interface QueuedMessage {
  readonly options: SubmissionOptions;
  readonly recipients: string[];
  readonly actions: string[];
  content: string;
  isCommitted: boolean;
}

export interface Setup {
  readonly mainCf?: string;
  readonly verdict?: (stage: string, recipient: string | undefined, facts: SessionFacts) => Verdict;
  readonly outcome?: (queueId: string) => SubmissionResult;
  readonly now?: () => number;
  /** An error: the disk gives no answer. */
  readonly freeBytes?: number | Error;
  readonly notifyPostmaster?: (notice: SessionNotice) => void;
  /** Clients can log in. */
  readonly logins?: LoginServer;
}

const accepted: Verdict = { kind: 'accept', actions: [] };

/** `myhostname` is mail.example.com, clients come from 192.0.2.1 and have no name. */
export class TestServer {
  readonly server: SmtpServer;
  readonly messages: QueuedMessage[] = [];
  readonly log: string[] = [];
  readonly #directory = mkdtempSync(join(tmpdir(), 'smtpd-'));

  constructor({
    mainCf = '',
    verdict = () => accepted,
    outcome,
    now = Date.now,
    freeBytes = 1e12,
    logins,
    notifyPostmaster = () => undefined,
  }: Setup = {}) {
    const base =
      'compatibility_level = 3.11\nmyhostname = mail.example.com\nmynetworks = 127.0.0.0/8\nsmtpd_error_sleep_time = 0\n';
    writeFileSync(
      join(this.#directory, 'main.cf'),
      `${base}${logins === undefined ? '' : 'smtpd_sasl_auth_enable = yes\n'}${mainCf}\n`,
    );
    const { settings } = openSettings(this.#directory);
    const events = { emit: (event: MailEvent): void => void this.log.push(renderPostfixText(event)) };
    const warn = (text: string): void => events.emit({ kind: 'warning', text });
    const tables = new TableOpener({ settings, configDirectory: this.#directory, warn });
    const policy: PolicyChecks = { check: (stage, facts) => verdict(stage, facts.recipient, facts) };
    const login = logins === undefined ? undefined : loginSettingsWith(logins, settings, tables);
    this.server = createSmtpServer({
      settings: compileSmtpdSettings(settings, { name: 'smtp' }, tables),
      policy,
      submission: this.#queue(outcome ?? ((queueId) => ({ kind: 'queued', queueId }))),
      rewriter: createRewriter({ settings, tables, warn, facts: { interfaces: [] } }),
      hostLookup: {
        name: async () => ({ kind: 'notFound', reason: 'no name' }),
        addresses: async () => ({ kind: 'notFound', reason: 'no address' }),
      },
      events,
      now,
      freeBytes: () => (freeBytes instanceof Error ? Promise.reject(freeBytes) : freeBytes),
      flushSite: async () => false,
      notifyPostmaster,
      login,
    });
  }

  #queue(outcome: (queueId: string) => SubmissionResult): SubmissionPort {
    return {
      open: (options) => {
        const message: QueuedMessage = { options, recipients: [], actions: [], content: '', isCommitted: false };
        this.messages.push(message);
        const queueId = `Q${this.messages.length}`;
        return {
          queueId,
          addRecipient: ({ address }) => void message.recipients.push(address),
          apply: ({ kind }) => void message.actions.push(kind),
          write: (chunk) => void (message.content += chunk.toString('latin1')),
          end: async () => {
            message.isCommitted = true;
            return outcome(queueId);
          },
          abort: () => {},
        };
      },
    };
  }

  connect(address = '192.0.2.1'): Conversation {
    const [ours, theirs] = duplexPair();
    const socket = Object.assign(theirs, {
      remoteAddress: address,
      remotePort: 4000,
      localAddress: '192.0.2.9',
      localPort: 25,
      setNoDelay: () => {},
    });
    this.server.accept(socket);
    return new Conversation(ours);
  }

  /** Runs a whole conversation sent in one go or line by line; gives the replies' lines. */
  async talk(...lines: readonly (string | Buffer)[]): Promise<string[]> {
    const conversation = this.connect();
    const replies = [await conversation.reply()];
    for (const line of lines) {
      conversation.send(Buffer.concat([Buffer.from(line), Buffer.from('\r\n')]));
      replies.push(await conversation.reply());
    }
    conversation.close();
    await this.server.sessionsEnd();
    return replies.slice(1);
  }

  remove(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

export class Conversation {
  readonly #stream: Duplex;
  #received = '';
  #hasEnded = false;
  #wake: () => void = () => {};

  constructor(stream: Duplex) {
    this.#stream = stream;
    stream.on('data', (bytes: Buffer) => {
      this.#received += bytes.toString('utf8');
      this.#wake();
    });
    for (const name of ['end', 'close', 'error']) {
      stream.on(name, () => {
        this.#hasEnded = true;
        this.#wake();
      });
    }
  }

  send(bytes: string | Buffer): void {
    this.#stream.write(bytes);
  }

  /** The next reply, its lines joined by ` | `; `closed` when there is none to come. */
  async reply(): Promise<string> {
    for (;;) {
      const match = /^(?:\d{3}-[^\n]*\n)*\d{3} [^\n]*\n/.exec(this.#received);
      if (match !== null) {
        this.#received = this.#received.slice(match[0].length);
        return match[0].trimEnd().split('\r\n').join(' | ');
      }
      if (this.#hasEnded) return 'closed';
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  close(): void {
    this.#stream.destroy();
  }
}
