/** `sendmail -bs`: an SMTP conversation on standard input and output; its mail goes into the maildrop directory. */
import { Duplex, Readable, Writable } from 'node:stream';
import { ConfigError, findConfigDirectory, openSettings, type Settings } from '#config';
import { createHostLookup, systemResolver } from '#dns';
import { EventLog } from '#events';
import {
  type MaildropEnvelope,
  type MaildropRecipient,
  type Submission,
  type SubmissionOptions,
  type SubmissionPort,
  type SubmissionResult,
} from '#message';
import { thrownText } from '#native';
import { createRewriter } from '#rewrite';
import { compileSmtpdSettings, createSmtpServer } from '#smtpd';
import { TableOpener } from '#tables';
import { openCommandLog } from './command-log.ts';
import { EX_OK, EX_TEMPFAIL } from './exit-status.ts';
import type { CliIo } from './io.ts';
import { Reporter } from './reporter.ts';
import { MaildropWriter } from './sendmail/maildrop-writer.ts';
import { senderProblem } from './sendmail/rights.ts';

const CR = 0x0d;

/** Content with LF line ends, as maildrop files have it; a CR at the end of a chunk waits for what follows. */
class LfEncoder {
  #held = false;

  encode(chunk: Buffer): Buffer {
    const whole = this.#held ? Buffer.concat([Buffer.of(CR), chunk]) : chunk;
    this.#held = whole.at(-1) === CR;
    const text = (this.#held ? whole.subarray(0, -1) : whole).toString('latin1').replaceAll('\r\n', '\n');
    return Buffer.from(text, 'latin1');
  }

  end(): Buffer {
    return this.#held ? Buffer.of(CR) : Buffer.alloc(0);
  }
}

/** Why the user may not send as this sender; undefined when he may. local_login_sender_maps */
type SenderCheck = (sender: string) => Promise<string | undefined>;

/** One message on its way into a maildrop file, whose envelope is written when its recipients are known. */
class MaildropSubmission implements Submission {
  readonly #options: SubmissionOptions;
  readonly #senderProblem: SenderCheck;
  readonly #recipients: MaildropRecipient[] = [];
  readonly #lines = new LfEncoder();
  readonly #writer: MaildropWriter;
  #isBegun = false;

  /** Throws when the directory can't be written. */
  constructor(directory: string, options: SubmissionOptions, check: SenderCheck) {
    this.#options = options;
    this.#senderProblem = check;
    this.#writer = new MaildropWriter(directory);
  }

  /** Of the file: pickup gives the message one of its own. */
  get queueId(): string {
    return this.#writer.name.slice(0, 11);
  }

  addRecipient({ address, notify, dsnOriginal }: MaildropRecipient): void {
    this.#recipients.push({ address, notify, dsnOriginal });
  }

  apply(): void {
    // only restrictions ask for actions, and none run here
  }

  write(chunk: Buffer): void {
    this.#begun().write(this.#lines.encode(chunk));
  }

  #begun(): MaildropWriter {
    if (this.#isBegun) return this.#writer;
    this.#isBegun = true;
    const { prepend } = this.#options;
    this.#writer.writeEnvelope(this.#envelope());
    this.#writer.write(this.#lines.encode(typeof prepend === 'function' ? prepend() : prepend));
    return this.#writer;
  }

  #envelope(): MaildropEnvelope {
    const { envelope } = this.#options;
    const { sender, envid, ret, encoding, smtputf8, verp, requireTls } = envelope;
    return {
      format: 1,
      createdAt: envelope.arrivedAt,
      sender,
      fullName: '',
      recipients: this.#recipients,
      fromHeader: 0,
      ret,
      envid,
      encoding,
      rewriteContext: 'local',
      verp,
      trace: '',
      requireTls,
      smtputf8,
    };
  }

  async end(): ReturnType<Submission['end']> {
    try {
      // pickup would remove the file; Postfix says 451, too, where its postdrop refuses
      const problem = await this.#senderProblem(this.#options.envelope.sender);
      if (problem !== undefined) return this.#refuse(problem);
      const writer = this.#begun();
      writer.write(this.#lines.end());
      writer.commit();
      return { kind: 'queued', queueId: this.queueId };
    } catch (error) {
      return this.#refuse(`queue file write error: ${thrownText(error)}`);
    }
  }

  #refuse(text: string): SubmissionResult {
    this.#writer.abort();
    return { kind: 'refused', code: 451, dsn: '4.3.0', text, isRuleText: false };
  }

  abort(): void {
    this.#writer.abort();
  }
}

function conversation(io: CliIo): Duplex {
  const output = new Writable({
    write: (chunk: Buffer, _, done) => {
      io.stdout(chunk);
      done();
    },
  });
  return Duplex.from({ readable: Readable.from(io.stdin), writable: output });
}

interface Parts {
  readonly directory: string;
  readonly settings: Settings;
  readonly log: EventLog;
  readonly io: CliIo;
}

function server({ directory, settings, log, io }: Parts): ReturnType<typeof createSmtpServer> {
  const events = log.channel(`${settings.string('syslog_name')}/smtpd`);
  const warn = (text: string): void => io.stderr(`sendmail: warning: ${text}\n`);
  const tables = new TableOpener({ settings, configDirectory: directory, warn });
  const resolver = systemResolver();
  const check: SenderCheck = (sender) => senderProblem(io.uid, sender, settings, io);
  const submission: SubmissionPort = {
    open: (options) => new MaildropSubmission(`${settings.string('queue_directory')}/maildrop`, options, check),
  };
  const service = { name: 'smtp', type: 'inet' } as const;
  const nobody = tables.matchList('smtpd_authorized_xclient_hosts', 'namadr', []);
  return createSmtpServer({
    settings: {
      ...compileSmtpdSettings(settings, service, tables),
      // there is nobody in front of the client, and nobody behind us
      xclientHosts: nobody,
      xforwardHosts: nobody,
      upstreamProxy: undefined,
      proxyFilter: undefined,
    },
    // whoever may run this command may submit mail: there is nothing to restrict
    policy: { check: () => ({ kind: 'accept', actions: [] }) },
    submission,
    hostLookup: createHostLookup(resolver, { searchList: resolver.conf }),
    rewriter: createRewriter({ settings, tables, warn }),
    events,
    now: () => Date.now(),
    freeBytes: () => Number.POSITIVE_INFINITY,
    flushSite: () => Promise.resolve(false),
  });
}

export async function run(_args: readonly string[], io: CliIo): Promise<number> {
  const directory = findConfigDirectory(undefined, io.env);
  let settings: Settings | undefined;
  try {
    ({ settings } = openSettings(directory));
    const log = (await openCommandLog(settings)) ?? new EventLog([{ write: () => undefined }]);
    await server({ directory, settings, log, io }).serveStream(conversation(io));
    log.flush();
    return EX_OK;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return new Reporter('sendmail', io, settings).unusable(error, EX_TEMPFAIL);
  }
}
