/** posthorn explain: what the SMTP server would answer a client, and why. */
import { readFileSync } from 'node:fs';
import { ConfigError, findConfigDirectory } from '#config';
import { thrownText } from '#native';
import { openRehearsal, type Rehearsal } from '#roles';
import { DotStuffer, LineEndNormalizer } from '#smtp';
import { demandsTls } from '#tls';
import { EX_CONFIG, EX_NOINPUT, EX_USAGE } from '../exit-status.ts';
import type { CliIo } from '../io.ts';
import { type AskedQuestion, type ExplainArguments, parseArguments, usage } from './arguments.ts';
import { type CheckedExpectation, checkExpectation, differenceText, summaryText } from './expectation-run.ts';
import { parseExpectations } from './expectations.ts';
import { explain } from './question.ts';
import { Recorder } from './recorder.ts';
import type { Report } from './report.ts';
import { renderText } from './text.ts';

/** Something that was given and can't be read. */
class UnreadableInput extends Error {}

function readInput(file: string): Buffer {
  try {
    return readFileSync(file === '-' ? 0 : file);
  } catch (error) {
    const reason = thrownText(error);
    throw new UnreadableInput(`${file}: ${reason}`, { cause: error });
  }
}

/** The configuration's services, each opened once and asked as often as one likes. */
class Stage {
  readonly directory: string;
  readonly #args: ExplainArguments;
  readonly #message: Buffer;
  readonly #opened = new Map<string | undefined, readonly [Rehearsal, Recorder]>();

  constructor(directory: string, args: ExplainArguments) {
    this.directory = directory;
    this.#args = args;
    this.#message = wireContent(args.messageFile === undefined ? Buffer.alloc(0) : readInput(args.messageFile));
  }

  async ask(question: AskedQuestion, service = this.#args.service): Promise<Report> {
    const [rehearsal, recorder] = await this.#open(service);
    return explain(rehearsal, recorder, { ...question, message: this.#message }, () => [
      ...differencesOf(rehearsal),
      ...loginNotes(rehearsal, question),
      ...this.#notes(question),
    ]);
  }

  /** Where what was opened is not what the server would run with. */
  get differences(): ReadonlySet<string> {
    return new Set([...this.#opened.values()].flatMap(([rehearsal]) => differencesOf(rehearsal)));
  }

  close(): void {
    for (const [rehearsal] of this.#opened.values()) rehearsal.close();
  }

  async #open(service: string | undefined): Promise<readonly [Rehearsal, Recorder]> {
    const known = this.#opened.get(service);
    if (known !== undefined) return known;
    const recorder = new Recorder((parameter) => rehearsal.settings.origin(parameter));
    const { isOffline } = this.#args;
    const rehearsal = await openRehearsal({ directory: this.directory, service, isOffline, onlooker: recorder });
    const opened = [rehearsal, recorder] as const;
    this.#opened.set(service, opened);
    return opened;
  }

  #notes({ name }: AskedQuestion): readonly string[] {
    const { isOffline, messageFile } = this.#args;
    const offline = 'offline: neither policy services nor DNS were asked; the live server may answer otherwise';
    const nameless = 'offline: without --name the client has none, and checks of its name were left out';
    const empty = 'no --message was given: header and body checks had nothing to look at';
    return [
      ...(isOffline ? [offline] : []),
      ...(isOffline && name === undefined ? [nameless] : []),
      ...(messageFile === undefined ? [empty] : []),
    ];
  }
}

/** A login is taken as given; that nobody can have it there is worth a word. */
function loginNotes({ settings, service }: Rehearsal, { login, tls }: AskedQuestion): readonly string[] {
  if (login === '') return [];
  const why = !settings.bool('smtpd_sasl_auth_enable')
    ? 'smtpd_sasl_auth_enable is no'
    : settings.bool('smtpd_tls_auth_only') && !tls && !demandsTls(settings)
      ? 'smtpd_tls_auth_only is yes, and the client has no TLS (--tls)'
      : undefined;
  return why === undefined
    ? []
    : [`nobody can log in to ${service.name}/${service.type}: ${why}; --login was believed`];
}

function differencesOf({ configuration, substitutes }: Rehearsal): readonly string[] {
  return [...configuration.unsupported.map((text) => `the server does not start: ${text}`), ...substitutes];
}

/** As it goes over the wire after DATA, with its end mark. */
function wireContent(content: Buffer): Buffer {
  const lines = new LineEndNormalizer();
  const dots = new DotStuffer();
  return Buffer.concat([...[lines.push(content), lines.end()].flatMap((part) => dots.encode(part)), dots.end()]);
}

async function runTest(stage: Stage, file: string, args: ExplainArguments, io: CliIo): Promise<number> {
  const { expectations, unreadable } = parseExpectations(readInput(file).toString('utf8'));
  for (const { line, problem } of unreadable) io.stderr(`${file}:${line}: ${problem}\n`);
  if (unreadable.length > 0) return EX_USAGE;
  const checked: CheckedExpectation[] = [];
  for (const expectation of expectations) {
    const report = await stage.ask(expectation.question, expectation.service);
    const one = checkExpectation(expectation, report);
    checked.push(one);
    if (!args.isJson) io.stdout(differenceText(file, expectation, one, report.configuration));
  }
  for (const text of stage.differences) io.stderr(`note: ${text}\n`);
  io.stdout(args.isJson ? json({ file, expectations: checked }) : summaryText(checked));
  return checked.every(({ holds }) => holds) ? 0 : 1;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

export async function run(args: readonly string[], io: CliIo): Promise<number> {
  const refuse = (text: string): void => io.stderr(`posthorn explain: ${text}\n`);
  const parsed = parseArguments(args);
  if (typeof parsed === 'string') {
    refuse(parsed);
    io.stderr(usage);
    return EX_USAGE;
  }
  const { task } = parsed;
  if (task.kind === 'help') {
    io.stdout(usage);
    return 0;
  }
  try {
    const stage = new Stage(findConfigDirectory(parsed.configDirectory, io.env), parsed);
    try {
      if (task.kind === 'test') return await runTest(stage, task.file, parsed, io);
      const report = await stage.ask(task.question);
      io.stdout(parsed.isJson ? json(report) : renderText(report));
      return 0;
    } finally {
      stage.close();
    }
  } catch (error) {
    if (error instanceof UnreadableInput) {
      refuse(error.message);
      return EX_NOINPUT;
    }
    if (!(error instanceof ConfigError)) throw error;
    for (const problem of error.problems) refuse(problem);
    return EX_CONFIG;
  }
}
