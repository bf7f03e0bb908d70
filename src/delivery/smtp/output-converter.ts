/**
 * Content that does not go out as it is stored: header and body checks, generic addresses in headers, headers of delivery,
 * and quoted-printable for servers without 8BITMIME (postconf(5) smtp_header_checks,
 * smtp_generic_maps; RFC 2045, 6.7).
 *
 * Reads whole lines and logical headers, so it is off the hot path; a message that needs none of it is never seen here.
 */
import {
  bytesOf,
  encodeQuotedPrintable,
  fieldBody,
  type MaybePromise,
  type MimeLimits,
  type MimePlace,
  MimeStructure,
  textOf,
} from '#message';

/** Whose header section a header stands in. */
export type HeaderClass = Exclude<MimePlace, 'body'>;

/** What becomes of a header or body line: new lines in its place, in order. */
export type Edited = readonly string[];

export interface ConverterOptions {
  /** The server takes 7 bits only. */
  readonly downgrade: boolean;
  /** Parts are not looked into. */
  readonly mimeOff: boolean;
  readonly limits: MimeLimits;
  /** Headers to put on top, each a line without its end. */
  readonly prepend: readonly string[];
  /** Lines of a folded header are joined by LF. undefined: headers stay. */
  readonly editHeader:
    | ((header: string, headerClass: HeaderClass, isMade: boolean) => MaybePromise<Edited>)
    | undefined;
  /** All of the body, whatever body_checks_size_limit says, which is about mail that comes in. */
  readonly editBody: ((line: string) => MaybePromise<Edited>) | undefined;
}

const lf = 0x0a;
const cr = 0x0d;
const headerStart = /^([!-9;-~]+)[ \t]*:/;

/** Converts one message. */
export class OutputConverter {
  readonly #options: ConverterOptions;
  readonly #structure: MimeStructure;
  /** Lines of the header that is being gathered, joined by LF. */
  #header: string | undefined;

  constructor(options: ConverterOptions) {
    this.#options = options;
    this.#structure = new MimeStructure(options.limits);
  }

  /** 8-bit content is encoded. */
  get downgrades(): boolean {
    return this.#options.downgrade;
  }

  /** More parts inside each other than can be converted; what was given so far must not be delivered. */
  get isTooDeep(): boolean {
    return this.#options.downgrade && this.#structure.isTooDeep;
  }

  /** The converted content, in pieces of about the size of the chunks read. */
  async *convert(chunks: Iterable<Buffer> | AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    const prepended = this.#options.prepend.map((line) => `${line}\r\n`).join('');
    if (prepended !== '') yield bytesOf(prepended);
    let partial: Buffer = Buffer.alloc(0);
    for await (const chunk of chunks) {
      const bytes = partial.length === 0 ? chunk : Buffer.concat([partial, chunk]);
      const out: Buffer[] = [];
      let from = 0;
      for (let end = bytes.indexOf(lf); end >= 0; end = bytes.indexOf(lf, from)) {
        const last = end > from && bytes[end - 1] === cr ? end - 1 : end;
        await this.#line(bytes.subarray(from, last), out);
        from = end + 1;
      }
      partial = bytes.subarray(from);
      if (out.length > 0) yield Buffer.concat(out);
    }
    const out: Buffer[] = [];
    if (partial.length > 0) await this.#line(partial, out);
    if (this.#header !== undefined) await this.#endHeader(out);
    if (out.length > 0) yield Buffer.concat(out);
  }

  async #line(line: Buffer, out: Buffer[]): Promise<void> {
    const { place } = this.#structure;
    if (place === 'body') return this.#bodyLine(line, out);
    const text = textOf(line);
    if (this.#header !== undefined && /^[ \t]/.test(text)) {
      this.#header += `\n${text}`;
      return;
    }
    if (this.#header !== undefined) await this.#endHeader(out);
    if (headerStart.test(text)) {
      this.#header = text;
      return;
    }
    // the empty line, or the first line of a body that lacks one
    await this.#endOfHeaders(line, out);
  }

  async #endHeader(out: Buffer[]): Promise<void> {
    const header = this.#header ?? '';
    this.#header = undefined;
    const name = (headerStart.exec(header)?.[1] ?? '').toLowerCase();
    if (!this.#options.mimeOff) this.#structure.readField(name, fieldBody(header));
    // written anew at the end of the header
    const isReplaced = this.#options.downgrade && this.#structure.encodingFor7bit !== undefined;
    if (name === 'content-transfer-encoding' && isReplaced) return;
    await this.#putHeader(header, out, false);
  }

  async #putHeader(header: string, out: Buffer[], isMade: boolean): Promise<void> {
    const { place } = this.#structure;
    const { editHeader } = this.#options;
    const lines = editHeader === undefined || place === 'body' ? [header] : await editHeader(header, place, isMade);
    for (const text of lines) out.push(bytesOf(`${text.replaceAll('\n', '\r\n')}\r\n`));
  }

  async #endOfHeaders(line: Buffer, out: Buffer[]): Promise<void> {
    const encoding = this.#options.downgrade ? this.#structure.encodingFor7bit : undefined;
    if (encoding !== undefined) await this.#putHeader(`Content-Transfer-Encoding: ${encoding}`, out, true);
    this.#structure.endHeader(line.length === 0);
    if (line.length === 0) out.push(Buffer.from('\r\n'));
    else await this.#bodyLine(line, out);
  }

  async #bodyLine(line: Buffer, out: Buffer[]): Promise<void> {
    const isText = this.#options.mimeOff || !this.#structure.readBoundary(line);
    const { downgrade, editBody } = this.#options;
    const convert = isText && downgrade && this.#structure.encodingFor7bit === 'quoted-printable';
    const pieces = convert ? encodeQuotedPrintable(line) : [line];
    for (const piece of pieces) {
      if (editBody === undefined) out.push(piece, Buffer.from('\r\n'));
      else {
        for (const text of await editBody(textOf(piece))) out.push(bytesOf(`${text}\r\n`));
      }
    }
  }
}
