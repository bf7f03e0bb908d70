/**
 * Where in a MIME message a line stands: parts, attached messages, encodings. RFC 2045, RFC 2046
 *
 * Only as much of MIME as decides which table sees a line and what the strict_* parameters refuse; nothing is decoded.
 */
import { bytesOf } from './byte-text.ts';

export interface MimeLimits {
  /** mime_nesting_limit */
  readonly nesting: number;
  /** mime_boundary_length_limit: longer ones are compared up to here. */
  readonly boundaryLength: number;
}

/** What a strict check refuses: the reason, and the text that shows it. */
export interface MimeProblem {
  readonly text: string;
  readonly detail: string;
}

/** `part`: the header section of a part; `nested`: that of an attached message. */
export type MimePlace = 'primary' | 'part' | 'nested' | 'body';

/** The domain of a content transfer encoding, RFC 2045, 6.2. */
type Domain = '7bit' | '8bit' | 'binary';

interface Level {
  readonly boundary: Buffer;
  readonly isDigest: boolean;
}

const domains: ReadonlyMap<string, Domain> = new Map([
  ['7bit', '7bit'],
  ['8bit', '8bit'],
  ['binary', 'binary'],
  ['base64', '7bit'],
  ['quoted-printable', '7bit'],
]);
const dash = 0x2d;
// Postfix refuses the third level beyond mime_nesting_limit.
const spareLevels = 2;

export class MimeStructure {
  readonly #limits: MimeLimits;
  readonly #levels: Level[] = [];
  #place: MimePlace = 'primary';
  #type = 'text';
  #subtype = 'plain';
  #encoding = '7bit';
  #domain: Domain = '7bit';
  #isTooDeep = false;

  constructor(limits: MimeLimits) {
    this.#limits = limits;
  }

  get place(): MimePlace {
    return this.#place;
  }

  /** Whether lines of the body can be anything but body. */
  get hasParts(): boolean {
    return this.#place === 'nested' || this.#levels.length > 0;
  }

  /** What may stand in the body here. */
  get domain(): Domain {
    return this.#domain;
  }

  /** Whether the body here is said or taken to be 7-bit data, and not encoded as such. */
  get isPlain7bit(): boolean {
    return this.#encoding === '7bit';
  }

  /** What 8-bit content gets instead of its encoding where only 7-bit data may be; undefined: it is 7-bit. RFC 2045, 6.4 */
  get encodingFor7bit(): '7bit' | 'quoted-printable' | undefined {
    if (this.#domain === '7bit') return undefined;
    return this.#isComposite ? '7bit' : 'quoted-printable';
  }

  /** Whether the part has parts, or is a message, and so can't be encoded itself. RFC 2045, 6.4 */
  get #isComposite(): boolean {
    return this.#type === 'multipart' || this.#type === 'message';
  }

  get #isEncoded(): boolean {
    return this.#encoding !== this.#domain;
  }

  /** Whether the encoding is one that the type may not have. RFC 2045, 6.4; RFC 2046, 5.2 */
  get #isMisencoded(): boolean {
    if (this.#type === 'multipart') return this.#isEncoded;
    if (this.#type !== 'message') return false;
    if (this.#subtype === 'rfc822') return this.#isEncoded;
    // told apart from the rest: in these the domain counts, not the encoding
    return (this.#subtype === 'partial' || this.#subtype === 'external-body') && this.#domain !== '7bit';
  }

  /** Whether parts stood so deep inside each other that they were not looked into. */
  get isTooDeep(): boolean {
    return this.#isTooDeep;
  }

  /** Takes a header field; gives a problem when parts are nested too deep. */
  readField(name: string, value: string): MimeProblem | undefined {
    switch (name.toLowerCase()) {
      case 'content-type':
        return this.#readType(value);
      case 'content-transfer-encoding':
        this.#readEncoding(value);
        return undefined;
      default:
        return undefined;
    }
  }

  #readType(value: string): MimeProblem | undefined {
    const { type, subtype, boundary } = parseContentType(value);
    this.#type = type;
    this.#subtype = subtype;
    if (type !== 'multipart' || boundary === '') return undefined;
    if (this.#levels.length >= this.#limits.nesting + spareLevels) {
      this.#isTooDeep = true;
      return { text: 'MIME nesting exceeds safety limit', detail: `Content-Type:${value}` };
    }
    const bytes = bytesOf(boundary).subarray(0, this.#limits.boundaryLength);
    this.#levels.push({ boundary: bytes, isDigest: subtype === 'digest' });
    return undefined;
  }

  #readEncoding(value: string): void {
    const [, word = ''] = /^\s*([^\s;]*)/.exec(withoutComments(value)) ?? [];
    const encoding = word.toLowerCase();
    const domain = domains.get(encoding);
    if (domain === undefined) return;
    this.#encoding = encoding;
    this.#domain = domain;
  }

  /** The header section ended, at an empty line or at a line that is no header. */
  endHeader(atEmptyLine: boolean): MimeProblem | undefined {
    const isMisencoded = this.#isMisencoded;
    const detail = this.#encoding;
    // RFC 6532, 3.5: message/global may be encoded, and then its fields can't be seen
    const isGlobal = this.#subtype === 'global' && !this.#isEncoded;
    if (atEmptyLine && this.#type === 'message' && (this.#subtype === 'rfc822' || isGlobal)) {
      this.#begin('nested', 'text', 'plain');
    } else {
      this.#place = 'body';
    }
    return isMisencoded ? { text: 'invalid message/* or multipart/* encoding domain', detail } : undefined;
  }

  /** Looks for a boundary at the start of a line of the body; true when it is one. RFC 2046, 5.1.1 */
  readBoundary(line: Buffer): boolean {
    if (line.length < 3 || line[0] !== dash || line[1] !== dash) return false;
    for (let depth = this.#levels.length - 1; depth >= 0; depth -= 1) {
      const level = this.#levels[depth];
      if (level === undefined || !startsWith(line, level.boundary, 2)) continue;
      this.#levels.length = depth + 1;
      const end = 2 + level.boundary.length;
      if (line[end] === dash && line[end + 1] === dash) {
        this.#levels.length = depth;
        this.#begin('body', 'text', 'plain');
      } else if (level.isDigest) this.#begin('part', 'message', 'rfc822');
      else this.#begin('part', 'text', 'plain');
      return true;
    }
    return false;
  }

  #begin(place: MimePlace, type: string, subtype: string): void {
    this.#place = place;
    this.#type = type;
    this.#subtype = subtype;
    this.#encoding = '7bit';
    this.#domain = '7bit';
  }
}

function startsWith(line: Buffer, bytes: Buffer, at: number): boolean {
  return line.length >= at + bytes.length && line.compare(bytes, 0, bytes.length, at, at + bytes.length) === 0;
}

/** The text without comments, which may nest; quoted strings keep theirs. RFC 5322, 3.2.2 */
function withoutComments(text: string): string {
  if (!text.includes('(')) return text;
  let out = '';
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '\\') {
      if (depth === 0) out += character + text.charAt(at + 1);
      at += 1;
    } else if (depth === 0 && character === '"') {
      isQuoted = !isQuoted;
      out += character;
    } else if (!isQuoted && character === '(') depth += 1;
    else if (depth > 0 && character === ')') depth -= 1;
    else if (depth === 0) out += character;
  }
  return out;
}

/** Type, subtype and boundary of a Content-Type body; lower case but for the boundary. RFC 2045, 5.1 */
export function parseContentType(value: string): {
  readonly type: string;
  readonly subtype: string;
  readonly boundary: string;
} {
  const text = withoutComments(value);
  const parts = text.match(/(?:[^;"]|"(?:[^"\\]|\\[^])*"?)+/g) ?? [];
  const [, type = '', subtype = ''] = /^\s*([^\s/]+)(?:\s*\/\s*([^\s;]+))?/.exec(parts[0] ?? '') ?? [];
  let boundary = '';
  for (const part of parts.slice(1)) {
    const [, quoted, bare] = /^\s*boundary\s*=\s*(?:"((?:[^"\\]|\\[^])*)"?|([^\s"]+))/i.exec(part) ?? [];
    boundary ||= quoted?.replaceAll(/\\([^])/g, '$1') ?? bare ?? '';
  }
  return { type: type.toLowerCase(), subtype: subtype.toLowerCase(), boundary };
}
