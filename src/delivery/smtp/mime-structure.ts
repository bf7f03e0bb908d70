/**
 * Where in a message a line stands: header of the message, of a part, of an attached message, or body (RFC 2045, 2046).
 *
 * Fed line by line, logical header by logical header; keeps the stack of boundaries, and what the header of the current
 * part said about its type and encoding.
 */

export type HeaderClass = 'primary' | 'multipart' | 'nested';

export interface MimeLimits {
  readonly nesting: number;
  readonly boundaryLength: number;
}

/** What is known of the part whose header was read. */
export interface PartFacts {
  /** `multipart`, `message`, or anything else. */
  readonly type: string;
  readonly subtype: string;
  /** Content-Transfer-Encoding, lower case; '' when not given. */
  readonly encoding: string;
}

const plainText: PartFacts = { type: 'text', subtype: 'plain', encoding: '' };

export class MimeStructure {
  readonly #limits: MimeLimits;
  readonly #isOff: boolean;
  #boundaries: { readonly text: string; readonly defaultFacts: PartFacts }[] = [];
  #state: HeaderClass | 'body' = 'primary';
  #facts: PartFacts = plainText;
  #boundary: string | undefined;
  /** More parts inside each other than mime_nesting_limit. */
  isTooDeep = false;

  constructor(limits: MimeLimits, isOff: boolean) {
    this.#limits = limits;
    this.#isOff = isOff;
  }

  get state(): HeaderClass | 'body' {
    return this.#state;
  }

  get facts(): PartFacts {
    return this.#facts;
  }

  /** Takes in a whole logical header, `name` in lower case. */
  header(name: string, body: string): void {
    if (this.#isOff) return;
    if (name === 'content-type') {
      const [full = '', ...parameters] = splitParameters(body);
      const [type = '', subtype = ''] = full
        .toLowerCase()
        .split('/')
        .map((word) => word.trim());
      this.#facts = { ...this.#facts, type, subtype };
      if (type === 'multipart') this.#boundary = boundaryOf(parameters);
    } else if (name === 'content-transfer-encoding') {
      const encoding = body
        .replace(/\([^)]*\)/g, '')
        .trim()
        .toLowerCase();
      this.#facts = { ...this.#facts, encoding };
    }
  }

  /** The header section is over. True when another header section follows at once (an attached message). */
  endOfHeader(): boolean {
    if (this.#isOff) {
      this.#state = 'body';
      return false;
    }
    const { type, subtype, encoding } = this.#facts;
    if (type === 'multipart' && this.#boundary !== undefined) {
      this.#push(
        this.#boundary,
        subtype === 'digest' ? { ...plainText, type: 'message', subtype: 'rfc822' } : plainText,
      );
      this.#boundary = undefined;
    } else if (type === 'message' && subtype === 'rfc822' && ['', '7bit', '8bit', 'binary'].includes(encoding)) {
      this.#state = 'nested';
      return true;
    }
    this.#state = 'body';
    return false;
  }

  /** An attached message begins: its header has facts of its own. */
  beginNested(): void {
    this.#facts = plainText;
  }

  #push(boundary: string, defaultFacts: PartFacts): void {
    if (this.#boundaries.length >= this.#limits.nesting) this.isTooDeep = true;
    else this.#boundaries.push({ text: boundary.slice(0, this.#limits.boundaryLength), defaultFacts });
  }

  /** A line of the body: whether it is a boundary, which begins a part's header or the text after the parts. */
  bodyLine(line: Buffer): 'text' | 'boundary' {
    if (this.#boundaries.length === 0 || line[0] !== 0x2d || line[1] !== 0x2d) return 'text';
    const rest = line.toString('latin1', 2);
    for (let depth = this.#boundaries.length - 1; depth >= 0; depth--) {
      const found = this.#boundaries[depth];
      if (found === undefined || !rest.startsWith(found.text)) continue;
      if (rest.startsWith('--', found.text.length)) {
        this.#boundaries = this.#boundaries.slice(0, depth);
        this.#facts = plainText;
        this.#state = 'body';
      } else {
        this.#boundaries = this.#boundaries.slice(0, depth + 1);
        this.#facts = found.defaultFacts;
        this.#state = 'multipart';
      }
      return 'boundary';
    }
    return 'text';
  }
}

/** The parts of a structured field body at its semicolons; comments and white space around them are gone. */
function splitParameters(body: string): string[] {
  const parts: string[] = [];
  let part = '';
  for (const [token] of body.matchAll(/"(?:[^"\\]|\\.)*"?|\((?:[^()\\]|\\.)*\)?|;|[^";(]+/gs)) {
    if (token === ';') {
      parts.push(part.trim());
      part = '';
    } else if (!token.startsWith('(')) part += token;
  }
  return [...parts, part.trim()];
}

function boundaryOf(parameters: readonly string[]): string | undefined {
  for (const parameter of parameters) {
    const found = /^boundary\s*=\s*(.*)$/is.exec(parameter)?.[1];
    if (found === undefined) continue;
    return found.startsWith('"') ? found.replace(/^"|"$/g, '').replace(/\\(.)/gs, '$1') : found;
  }
  return undefined;
}
