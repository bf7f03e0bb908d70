/**
 * Content on its way into the queue: the header section is gathered and cleaned once, the body passes through
 * untouched unless something has to look at its lines. cleanup(8)
 *
 * header --end of the header section--> passing | inspecting      inspecting --checks are over--> passing
 */
import { isAscii, isUtf8 } from 'node:buffer';
import type { EventChannel } from '#events';
import { type Envelope, type MaybePromise, MimeStructure, textOf } from '#message';
import type { MessageMaps } from './address-maps.ts';
import { BodyReader } from './body-reader.ts';
import { lineWith, without } from './characters.ts';
import { PartEncodings } from './declared-encoding.ts';
import { cleanHeaderSection } from './header-section.ts';
import type { Inspector } from './inspector.ts';
import { StrayCrReader } from './line-ends.ts';
import type { Refusal } from './refusal.ts';
import type { Steps } from './steps.ts';
import type { TlsRequests } from './tls-requests.ts';

const headerEnd = Buffer.from('\r\n\r\n');
const crlf = Buffer.from('\r\n');
const nothing = Buffer.alloc(0);
// Room for a few fields at their limit, before the rest counts as body whatever it is.
const headerSections = 20;

export interface ContentOptions {
  readonly queueId: string;
  readonly envelope: Pick<Envelope, 'rewriteContext' | 'fullName' | 'arrivedAt' | 'requireTls'>;
  /** In standard form; asked for when the header section is complete. */
  readonly sender: () => string;
  /** Fields on top of the header section; asked for when it is complete. */
  readonly prepend: () => Buffer;
  readonly maps: MessageMaps;
  readonly inspector: Inspector;
  readonly events: EventChannel;
  readonly refuse: (refusal: Refusal) => void;
  /** Takes content for the queue. */
  readonly store: (content: Buffer) => MaybePromise<void>;
  /** Nothing more is wanted: the message is refused or thrown away. */
  readonly isOver: () => boolean;
}

export class ContentReader {
  readonly #options: ContentOptions;
  readonly #lineEnds: StrayCrReader | undefined;
  readonly #structure: MimeStructure;
  #header: Buffer[] | undefined = [];
  #headerLength = 0;
  /** The last bytes of it: its end may lie across chunks, however small they are. */
  #headerTail: Buffer = nothing;
  #body: BodyReader | undefined;
  #headerBytes = 0;
  #cleanHeader: Buffer | undefined;
  #messageId = '';
  #declares8bit = false;
  #partEncodings: PartEncodings | undefined;
  #hasUtf8Header = false;
  #tls: Readonly<TlsRequests> | undefined;

  constructor(options: ContentOptions) {
    this.#options = options;
    const { settings } = options.maps;
    this.#lineEnds = settings.replaceStrayCrLf && options.inspector.isOn ? new StrayCrReader() : undefined;
    this.#structure = new MimeStructure({
      nesting: settings.mimeNestingLimit,
      boundaryLength: settings.mimeBoundaryLimit,
    });
  }

  /** The header section as it was cleaned; undefined while it is not complete. */
  get cleanHeader(): Buffer | undefined {
    return this.#cleanHeader;
  }

  /** Of the header section in the queue. */
  get headerBytes(): number {
    return this.#headerBytes;
  }

  get messageId(): string {
    return this.#messageId;
  }

  /** As a header section declares it; '' when none does. postconf(5) detect_8bit_encoding_header */
  get encoding(): Envelope['encoding'] {
    const isDeclared = this.#declares8bit || this.#partEncodings?.found === true;
    return isDeclared || (this.#detects8bit && this.#body?.declares8bit === true) ? '8bit' : '';
  }

  /** Content that is converted is 7-bit, whatever was declared. */
  get #detects8bit(): boolean {
    const { detects8bit, convertsTo7bit } = this.#options.maps.settings;
    return detects8bit && !convertsTo7bit;
  }

  /** Whether parts to come may declare what is not known yet. */
  get #looksForEncodings(): boolean {
    if (this.#declares8bit || !this.#detects8bit) return false;
    return this.#options.maps.settings.readsMime && this.#structure.hasParts;
  }

  /** The header section holds UTF-8 beyond ASCII. RFC 6532 */
  get hasUtf8Header(): boolean {
    return this.#hasUtf8Header;
  }

  /** What the header section asks of TLS; undefined while it is not complete. */
  get tls(): Readonly<TlsRequests> | undefined {
    return this.#tls;
  }

  *read(chunk: Buffer): Steps<void> {
    const allowed = this.#withoutBadCharacters(chunk);
    if (this.#options.isOver()) return;
    yield* this.#take(this.#lineEnds === undefined ? allowed : this.#lineEnds.read(allowed));
  }

  *end(): Steps<void> {
    const last = this.#lineEnds?.end();
    if (last !== undefined) yield* this.#take(last);
    if (this.#header !== undefined) yield* this.#endHeader(Buffer.concat(this.#header), true);
    if (this.#body !== undefined && !this.#options.isOver()) yield* this.#store(yield* this.#body.end());
    this.#partEncodings?.end();
    this.#options.inspector.end();
  }

  #withoutBadCharacters(content: Buffer): Buffer {
    const { rejectCharacters } = this.#options.maps.settings;
    const isLookedFor = rejectCharacters !== undefined && this.#options.inspector.isOn;
    const line = isLookedFor ? lineWith(content, rejectCharacters) : undefined;
    if (line !== undefined) this.#options.inspector.disallowedCharacter(line);
    return this.#stripped(content);
  }

  #stripped(content: Buffer): Buffer {
    const { stripCharacters } = this.#options.maps.settings;
    return stripCharacters === undefined ? content : without(content, stripCharacters);
  }

  *#take(content: Buffer): Steps<void> {
    if (this.#header !== undefined) return yield* this.#takeHeader(content);
    this.#partEncodings?.read(content);
    if (this.#body === undefined) yield* this.#store(content);
    else yield* this.#takeBody(content);
  }

  *#takeHeader(chunk: Buffer): Steps<void> {
    const gathered = this.#header ?? [];
    gathered.push(chunk);
    this.#headerLength += chunk.length;
    const isAtStart = this.#headerLength === chunk.length && chunk[0] === 0x0d && chunk[1] === 0x0a;
    const isTooLong = this.#headerLength > headerSections * this.#options.maps.settings.headerSizeLimit;
    if (!this.#holdsHeaderEnd(chunk) && !isAtStart && !isTooLong) return;
    const whole = gathered.length === 1 ? chunk : Buffer.concat(gathered);
    yield* this.#endHeader(whole, false);
  }

  /** Whether the header section ends in a chunk, or between it and what came before. */
  #holdsHeaderEnd(chunk: Buffer): boolean {
    if (chunk.includes(headerEnd)) return true;
    const seam = Buffer.concat([this.#headerTail, chunk.subarray(0, headerEnd.length - 1)]);
    this.#headerTail = Buffer.concat([this.#headerTail, chunk.subarray(1 - headerEnd.length)]).subarray(
      1 - headerEnd.length,
    );
    return seam.includes(headerEnd);
  }

  /** The header section is complete; `whole` holds it and what came with it of the body. */
  *#endHeader(whole: Buffer, isAll: boolean): Steps<void> {
    this.#header = undefined;
    const { inspector, maps, events } = this.#options;
    const found = whole.indexOf(headerEnd);
    const startsEmpty = whole[0] === 0x0d && whole[1] === 0x0a;
    const end = startsEmpty ? 0 : found < 0 ? whole.length : found + crlf.length;
    const result = yield* cleanHeaderSection({
      section: Buffer.concat([this.#stripped(this.#options.prepend()), whole.subarray(0, end)]),
      queueId: this.#options.queueId,
      envelope: this.#options.envelope,
      sender: this.#options.sender(),
      maps,
      inspector,
      structure: this.#structure,
      events,
      isOver: this.#options.isOver,
      refuse: this.#options.refuse,
    });
    this.#cleanHeader = result.header;
    this.#messageId = result.messageId;
    if (this.#options.isOver()) return;
    this.#tls = result.tls;
    this.#hasUtf8Header = !isAscii(result.header) && isUtf8(result.header);
    const { convertsTo7bit } = maps.settings;
    const isEightBit = this.#structure.domain !== '7bit';
    this.#declares8bit = this.#detects8bit && result.declares8bit;
    const body = result.rest.length === 0 ? whole.subarray(end) : Buffer.concat([result.rest, whole.subarray(end)]);
    const atEmptyLine = body[0] === 0x0d && body[1] === 0x0a;
    const problem = this.#structure.endHeader(atEmptyLine);
    if (problem !== undefined && maps.settings.strictEncodingDomain && maps.settings.readsMime)
      inspector.mimeError(problem);
    const isHeaderOnly = isAll && body.length === 0;
    const front = isHeaderOnly ? nothing : this.#frontOf(atEmptyLine, body);
    this.#headerBytes = result.header.length + front.length;
    const hasParts = maps.settings.readsMime && this.#structure.hasParts;
    if (inspector.readsBody(hasParts) || (convertsTo7bit && (isEightBit || hasParts)))
      this.#body = new BodyReader(maps.settings, inspector, this.#structure, atEmptyLine ? 1 : 0);
    else if (this.#looksForEncodings) this.#partEncodings = new PartEncodings(this.#structure, true);
    const header = Buffer.concat([result.header, front]);
    // A message that ends with its header section has no empty line behind it.
    if (isHeaderOnly) return yield* this.#store(header);
    const top = atEmptyLine ? body.subarray(crlf.length) : body;
    this.#partEncodings?.read(top);
    yield* this.#storeTop(header, top);
  }

  /** What stands between header section and body. postconf(5) non_empty_end_of_header_action */
  #frontOf(atEmptyLine: boolean, body: Buffer): Buffer {
    if (atEmptyLine) return nothing;
    const { settings } = this.#options.maps;
    const text = 'message header was not terminated by empty line';
    if (settings.headerEndAction === 'add_header') return Buffer.from(`MIME-Error: ${text}\r\n`);
    if (settings.headerEndAction === 'reject') {
      const end = body.indexOf(crlf);
      this.#options.inspector.mimeError({ text, detail: textOf(body.subarray(0, end < 0 ? body.length : end)) });
    }
    return nothing;
  }

  /** Header section, empty line and the first of the body; in one piece when nothing looks at the body. */
  *#storeTop(header: Buffer, body: Buffer): Steps<void> {
    if (this.#body !== undefined) {
      yield* this.#store(Buffer.concat([header, crlf]));
      if (body.length > 0) yield* this.#takeBody(body);
      return;
    }
    yield* this.#store(Buffer.concat([header, crlf, body]));
  }

  *#takeBody(content: Buffer): Steps<void> {
    if (this.#body === undefined) return;
    yield* this.#store(yield* this.#body.read(content));
    if (this.#options.inspector.isOn || this.#options.maps.settings.convertsTo7bit) return;
    const { kept, beginsLine } = this.#body.release();
    this.#declares8bit ||= this.#detects8bit && this.#body.declares8bit;
    this.#body = undefined;
    if (this.#looksForEncodings) this.#partEncodings = new PartEncodings(this.#structure, beginsLine);
    this.#partEncodings?.read(kept);
    yield* this.#store(kept);
  }

  *#store(content: Buffer): Steps<void> {
    if (content.length === 0) return;
    const wait = this.#options.store(content);
    if (wait !== undefined) yield wait;
  }
}
