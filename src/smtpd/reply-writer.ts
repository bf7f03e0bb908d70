/**
 * Replies on their way out: filter, soft_bounce, footer, the bound on a line; gathered and written in one piece.
 * postconf(5) smtpd_reject_filter_maps, soft_bounce, smtpd_reject_footer
 */
import type { Duplex } from 'node:stream';
import type { EventChannel } from '#events';
import { type ByteFilter, streamable } from '#message';
import { formatReply, type ReplyText, type Turn, withFooter } from '#smtp';
import type { TableList } from '#tables';
import type { JudgedReply, Transcript } from './transcript.ts';
import { type FooterFacts, replyMacro, unknownMacro } from './reply-macros.ts';

export interface ReplySettings {
  readonly softBounce: boolean;
  readonly rejectFooter: string;
  readonly rejectFooterMaps: TableList;
  readonly rejectFilterMaps: TableList;
  readonly expansionFilter: ByteFilter;
}

/** From here on a client that doesn't read is noticed by what the kernel doesn't take. */
const muchText = 4096;

export class ReplyWriter {
  #stream: Duplex;
  readonly #settings: ReplySettings;
  readonly #events: EventChannel;
  readonly #transcript: Transcript;
  readonly #turn: Turn;
  readonly #facts: () => FooterFacts & { readonly queueId: string };
  #waiting = '';
  readonly #onAnswered = (): void => this.flush();

  constructor(
    stream: Duplex,
    settings: ReplySettings,
    events: EventChannel,
    transcript: Transcript,
    turn: Turn,
    facts: () => FooterFacts & { readonly queueId: string },
  ) {
    this.#stream = stream;
    this.#settings = settings;
    this.#events = events;
    this.#transcript = transcript;
    this.#turn = turn;
    this.#facts = facts;
  }

  /** Puts a reply behind those that wait; gives the code as it goes out. */
  async say(reply: JudgedReply): Promise<number> {
    const final = reply.code >= 400 ? await this.#refusal(reply) : reply;
    const lines = final.lines.map((line) => printable(line));
    this.#waiting += formatReply(final.code, lines);
    this.#transcript.judge(reply);
    this.#transcript.said(final.code, lines);
    return final.code;
  }

  /** As `say`, for replies that no table looks at: greetings and successes. */
  sayPlain(code: number, lines: readonly string[]): void {
    this.#waiting += formatReply(code, lines);
    this.#transcript.said(code, lines);
  }

  /** The challenge of a login; the space stays though it is empty. RFC 4954, 4 */
  challenge(text: string): void {
    this.#waiting += `334 ${text}\r\n`;
    this.#transcript.said(334, [text]);
  }

  /** Writes to another stream from now on. */
  adopt(stream: Duplex): void {
    this.#stream = stream;
  }

  /** Sends what was said when all that was heard in this turn has been worked on; much of it at once. */
  flushSoon(): void {
    if (this.#waiting.length > muchText) this.flush();
    else if (this.#waiting !== '') this.#turn.whenAllAnswered(this.#onAnswered);
  }

  flush(): void {
    if (this.#waiting === '') return;
    if (!this.#stream.destroyed && this.#stream.writable) this.#stream.write(streamable(this.#waiting));
    this.#waiting = '';
  }

  /** More has been said than the client takes: what it asks next has to wait. */
  get isBehind(): boolean {
    return this.#stream.writableNeedDrain && !this.#stream.destroyed;
  }

  /** Waits until the client has taken what was said, or is gone. False: it took too long. */
  async caughtUp(timeoutMs: number): Promise<boolean> {
    const stream = this.#stream;
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const onEnd = (): void => resolve(true);
    const timer = setTimeout(() => resolve(false), timeoutMs);
    for (const name of ['drain', 'close']) stream.on(name, onEnd);
    const isInTime = await promise;
    clearTimeout(timer);
    for (const name of ['drain', 'close']) stream.off(name, onEnd);
    return isInTime;
  }

  async #refusal(reply: ReplyText): Promise<ReplyText> {
    const { softBounce, rejectFooter, rejectFooterMaps, rejectFilterMaps, expansionFilter } = this.#settings;
    let out = rejectFilterMaps.isEmpty ? reply : await this.#filtered(reply);
    if (softBounce && out.code >= 500) out = softened(out);
    let template = rejectFooter;
    if (!rejectFooterMaps.isEmpty) {
      const found = await rejectFooterMaps.lookup(`${out.code} ${out.lines[0] ?? ''}`);
      if (found.kind === 'found') template = found.value;
    }
    if (template === '') return out;
    const facts = this.#facts();
    return withFooter(out, template, expansionFilter, (name) => {
      const value = replyMacro(name, facts);
      if (value === undefined) this.#events.emit({ kind: 'warning', text: unknownMacro(name) });
      return value ?? '';
    });
  }

  async #filtered(reply: ReplyText): Promise<ReplyText> {
    const text = `${reply.code} ${reply.lines[0] ?? ''}`;
    const found = await this.#settings.rejectFilterMaps.lookup(text);
    if (found.kind === 'missing') return reply;
    const { queueId } = this.#facts();
    if (found.kind === 'failed' || !/^[45]\d\d /.test(found.value)) {
      if (found.kind === 'found') {
        const text = `${found.table.name}: smtpd_reject_filter_maps: bad reply "${found.value}"`;
        this.#events.emit({ kind: 'warning', text });
      }
      return { code: 451, lines: ['4.3.5 Server configuration error'] };
    }
    this.#events.emit({ kind: 'replyFilter', queueId, side: 'in', text });
    this.#events.emit({ kind: 'replyFilter', queueId, side: 'out', text: found.value });
    return { code: Number(found.value.slice(0, 3)), lines: [found.value.slice(4)] };
  }
}

function softened({ code, lines }: ReplyText): ReplyText {
  return { code: code - 100, lines: lines.map((line) => line.replace(/^5(?=\.\d+\.\d+ )/, '4')) };
}

/** No control characters. Lines are as long as they come, as with Postfix: RFC 5321 would have them cut at 512 bytes. */
function printable(line: string): string {
  // oxlint-disable-next-line no-control-regex -- what must not reach the wire
  return line.replaceAll(/[\x00-\x1f\x7f]/g, '?');
}
