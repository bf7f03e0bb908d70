/**
 * The SMTP server that takes no mail: it watches how a client speaks, writes down whom it writes to, and sends it away.
 * postscreen(8), "after 220 greeting tests"
 *
 * Once it runs, all its tests are made whether they are switched on or not; only those switched on are remembered.
 */
import { CommandReader, escapedText, isHeaderName, splitCommand } from '#smtp';
import { deepTests, type DeepTest, type Test } from './cache-entry.ts';
import {
  allowedBeforeTls,
  type Arguments,
  type Dialogue,
  type EngineAnswer,
  engineVerbs,
  newDialogue,
  type Verb,
} from './engine-commands.ts';
import { discardedFor } from './ehlo-keywords.ts';
import type { ScreeningSession } from './session.ts';

/** Of what breaks the rules no more is shown. */
const maxShown = 100;

export async function runProtocolEngine(session: ScreeningSession): Promise<void> {
  const { settings } = session;
  if (!session.skipsGreeting) await session.say(`220 ${settings.greeting}`);
  await new ProtocolEngine(session, newDialogue(await discardedFor(session))).run();
}

class ProtocolEngine {
  readonly #session: ScreeningSession;
  #dialogue: Dialogue;
  readonly #reader: CommandReader;
  readonly #startedAt: number;
  /** Tests that the client has failed already; each is told once. */
  readonly #breached = new Set<DeepTest>();
  #commandCount = 0;

  constructor(session: ScreeningSession, dialogue: Dialogue) {
    this.#session = session;
    this.#dialogue = dialogue;
    this.#reader = new CommandReader(session.settings.lineLengthLimit);
    this.#startedAt = session.now;
  }

  async run(): Promise<void> {
    while (!this.#session.isOver) await this.#next();
  }

  /** Reads a line and answers it, or finds that there is none to come. */
  async #next(): Promise<void> {
    const session = this.#session;
    const { settings, stream } = session;
    const deadlineAt = session.now + session.effectiveMs(settings.commandTimeLimitMs);
    for (;;) {
      const piece = this.#reader.next();
      if (piece?.kind === 'line') return this.#onLine(piece.text, piece.hasBareLf);
      if (piece?.kind === 'longLine') {
        this.#logLimit('LENGTH');
        return session.end(`421 ${settings.myhostname} Service unavailable - try again later`);
      }
      const waited = await stream.wait(deadlineAt - session.now);
      if (waited === 'closed') return session.hangUp('after', this.#startedAt);
      if (waited === 'timeout') {
        this.#logLimit('TIME');
        return session.end(`421 4.4.2 ${settings.myhostname} Error: timeout exceeded`);
      }
      if (waited === 'input') this.#reader.push(stream.take());
    }
  }

  #logLimit(what: 'TIME' | 'COUNT' | 'LENGTH'): void {
    const { events, client } = this.#session;
    events.emit({ kind: 'commandLimit', what, client, after: this.#dialogue.lastCommand });
  }

  async #onLine(bytes: Buffer, hasBareLf: boolean): Promise<void> {
    const session = this.#session;
    const { settings } = session;
    const received = lineText(bytes);
    if (hasBareLf) {
      await this.#breach('bareNewline', { after: received.trim().slice(0, maxShown) });
      if (session.isOver) return;
    }
    const line = await this.#filtered(received);
    const words = splitCommand(line);
    const name = words[0]?.text ?? '';
    const rest = line.trimStart().slice(name.length).trim();
    const verb = engineVerbs.get(name.toUpperCase());
    if (verb === undefined && (await this.#isForeign(name))) {
      await this.#breach('nonSmtpCommand', {
        after: this.#dialogue.lastCommand,
        text: `${name.slice(0, maxShown)} ${rest.slice(0, maxShown)}`,
      });
      if (session.isOver) return;
    }
    const waiting = this.#reader.waitingBytes;
    // content follows BDAT at once: RFC 3030, 2
    if (waiting.length > 0 && name.toUpperCase() !== 'BDAT') {
      await this.#breach('pipelining', {
        after: name.slice(0, maxShown),
        text: escapedText(waiting.subarray(0, maxShown)),
      });
      if (session.isOver) return;
    }
    this.#commandCount += 1;
    // who wants to go is let go
    if (this.#commandCount > settings.commandCountLimit && name.toUpperCase() !== 'QUIT') {
      this.#logLimit('COUNT');
      return session.end(`421 ${settings.myhostname} Service unavailable - try again later`);
    }
    this.#dialogue.lastCommand = verb === undefined ? 'UNIMPLEMENTED' : name.toUpperCase();
    if (name.toUpperCase() === 'RCPT') this.#passDeepTests();
    const answer = this.#answerTo(name.toUpperCase(), verb, { words, rest });
    if (answer.isLast === true) return session.end(answer.reply);
    if (answer.startsTls === true) return this.#startTls(answer.reply);
    await session.say(answer.reply);
  }

  #answerTo(name: string, verb: Verb | undefined, args: Arguments): EngineAnswer {
    if (verb === undefined) return { reply: '502 5.5.2 Error: command not recognized' };
    if (this.#session.demandsTls && !allowedBeforeTls.has(name)) {
      return { reply: '530 5.7.0 Must issue a STARTTLS command first' };
    }
    return verb(this.#session, this.#dialogue, args);
  }

  /** Nothing that was said in the clear counts once there is TLS. RFC 3207, 4.2 */
  async #startTls(reply: string): Promise<void> {
    const session = this.#session;
    this.#reader.clear();
    if (!(await session.secure(reply))) return session.hangUp('after', this.#startedAt);
    this.#dialogue = { ...newDialogue(this.#dialogue.discarded), lastCommand: this.#dialogue.lastCommand };
  }

  /** A client that comes to name a recipient has spoken long enough to be known. */
  #passDeepTests(): void {
    const { results, settings, nowSeconds } = this.#session;
    for (const test of deepTests)
      if (!this.#breached.has(test)) results.pass(test, nowSeconds + settings.deepTtlSeconds[test]);
  }

  async #breach(test: DeepTest, { after, text }: { readonly after: string; readonly text?: string }): Promise<void> {
    if (this.#breached.has(test)) return;
    this.#breached.add(test);
    const session = this.#session;
    const { settings, results, events, client } = session;
    const what = breaches[test];
    events.emit({ kind: 'protocolBreach', what, client, after, ...(text === undefined ? {} : { text }) });
    const action = settings.deepActions[test];
    if (action === 'ignore') results.overlook(test, session.nowSeconds + shortestTtl(session));
    else results.fail(test);
    const reply = '5.5.1 Protocol error';
    const lastReply = test === 'nonSmtpCommand' ? '5.7.0 Error: I can break rules, too. Goodbye.' : reply;
    await session.punish(action, reply, lastReply);
  }

  async #isForeign(name: string): Promise<boolean> {
    return isHeaderName(name) || (await this.#session.settings.forbiddenCommands.matches(name)) === 'yes';
  }

  /** postscreen_command_filter */
  async #filtered(line: string): Promise<string> {
    const { settings, client, events } = this.#session;
    if (settings.commandFilter.isEmpty) return line;
    const found = await settings.commandFilter.lookup(line);
    if (found.kind === 'found') {
      const shown = (text: string): string => text.slice(0, maxShown);
      events.emit({
        kind: 'note',
        text: `${client}: replacing command "${shown(line)}" with "${shown(found.value)}"`,
      });
      return found.value;
    }
    if (found.kind === 'failed')
      this.#session.warn(`${found.table.name} lookup error for "${line.slice(0, maxShown)}"`);
    return line;
  }
}

const breaches = {
  bareNewline: 'BARE NEWLINE',
  nonSmtpCommand: 'NON-SMTP COMMAND',
  pipelining: 'COMMAND PIPELINING',
} as const satisfies Record<DeepTest, string>;

/** The least time that the result of any test is good for. */
function shortestTtl({ settings }: ScreeningSession): number {
  const ttls: Readonly<Record<Test, number>> = {
    pregreet: settings.greetTtlSeconds,
    dnsbl: settings.dnsblMinTtlSeconds,
    ...settings.deepTtlSeconds,
  };
  return Math.min(...Object.values(ttls));
}

/** As Postfix reads it: a NUL ends the line, and what is not UTF-8 is shown as a question mark. */
function lineText(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return (end < 0 ? bytes : bytes.subarray(0, end)).toString('utf8').replaceAll('\uFFFD', '?');
}
