/**
 * The line or block before an SMTP session in which a load balancer tells whom it speaks for: the haproxy protocol,
 * versions 1 and 2. postconf(5) smtpd_upstream_proxy_protocol, postscreen_upstream_proxy_protocol
 */
import { formatIp, parseIp } from '#address';
import { escapedText } from './foreign-input.ts';

export type AddressFamily = 'ipv4' | 'ipv6';

export interface Endpoint {
  readonly address: string;
  readonly port: string;
}

/** What a header says. `length`: so many bytes are the header's; the rest is SMTP. */
export type ProxyHeader =
  | { readonly kind: 'proxied'; readonly client: Endpoint; readonly server: Endpoint; readonly length: number }
  /** The load balancer speaks for itself: a health check. */
  | { readonly kind: 'direct'; readonly length: number }
  /** Not a header. `warning`: as logged. */
  | { readonly kind: 'bad'; readonly warning: string };

/** More than this is no header. */
const maxBytes = 536;
const word1 = Buffer.from('PROXY ');
const signature2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const head2Bytes = 16;

/** A header of which there may be more to come; otherwise it is as good or bad as it will ever be. */
interface Judgement {
  readonly isComplete: boolean;
  readonly header: ProxyHeader | { readonly kind: 'problem'; readonly text: string };
}

/** Collects a header, however it is cut into pieces. */
export class ProxyHeaderReader {
  readonly #families: readonly AddressFamily[];
  #bytes: Buffer = Buffer.alloc(0);

  /** `families`: what inet_protocols allows. */
  constructor(families: readonly AddressFamily[]) {
    this.#families = families;
  }

  /** What has come so far, the header included. */
  get bytes(): Buffer {
    return this.#bytes;
  }

  /** The header, once it is there. */
  push(bytes: Buffer): ProxyHeader | undefined {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
    const { isComplete, header } = this.#judge();
    return isComplete ? this.#told(header) : undefined;
  }

  /** Nothing more comes. */
  finish(why: 'closed' | 'timeout'): ProxyHeader {
    if (this.#bytes.length > 0) return this.#told(this.#judge().header);
    return { kind: 'bad', warning: `haproxy read: ${why === 'closed' ? 'EOF' : 'timeout error'}` };
  }

  #judge(): Judgement {
    return judge(this.#bytes.subarray(0, maxBytes), this.#families);
  }

  #told(header: Judgement['header']): ProxyHeader {
    if (header.kind !== 'problem') return header;
    return { kind: 'bad', warning: `haproxy read: ${header.text}: ${escapedText(this.#bytes.subarray(0, maxBytes))}` };
  }
}

function problem(text: string, isComplete = true): Judgement {
  return { isComplete, header: { kind: 'problem', text } };
}

function startsLike(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length);
  return bytes.subarray(0, length).equals(start.subarray(0, length));
}

function judge(bytes: Buffer, families: readonly AddressFamily[]): Judgement {
  const isWord = startsLike(bytes, word1);
  if (isWord && bytes.length >= word1.length) return judgeLine(bytes, families);
  const isBlock = startsLike(bytes, signature2);
  if (isBlock && bytes.length >= head2Bytes) return judgeBlock(bytes, families);
  if (bytes.length < head2Bytes) return problem('short protocol header', !isWord && !isBlock);
  return problem('unrecognized protocol header');
}

/** Version 1: `PROXY TCP4 client server client-port server-port`, ended by a line feed. What follows is not looked at. */
function judgeLine(bytes: Buffer, families: readonly AddressFamily[]): Judgement {
  const end = bytes.indexOf(0x0a);
  const zero = bytes.indexOf(0);
  if (end < 0 || (zero >= 0 && zero < end)) {
    return problem('missing protocol header terminator', zero >= 0 || bytes.length >= maxBytes);
  }
  const words = bytes.toString('latin1', 0, end).split(/[ \r]+/);
  const [, protocol = '', client = '', server = '', clientPort = '', serverPort = ''] = words;
  const family = familyOf(protocol);
  if (family === undefined || !families.includes(family)) return problem('bad or missing protocol type');
  const clientAddress = canonical(client, family);
  if (clientAddress === undefined) return problem('bad or missing client address');
  const serverAddress = canonical(server, family);
  if (serverAddress === undefined) return problem('bad or missing server address');
  if (!isPort(clientPort)) return problem('bad or missing client port');
  if (!isPort(serverPort)) return problem('bad or missing server port');
  return {
    isComplete: true,
    header: {
      kind: 'proxied',
      client: { address: clientAddress, port: clientPort },
      server: { address: serverAddress, port: serverPort },
      length: end + 1,
    },
  };
}

function familyOf(protocol: string): AddressFamily | undefined {
  switch (protocol.toUpperCase()) {
    case 'TCP4':
      return 'ipv4';
    case 'TCP6':
      return 'ipv6';
    default:
      return undefined;
  }
}

function canonical(text: string, family: AddressFamily): string | undefined {
  if (text.includes(':') !== (family === 'ipv6') || text.includes('%')) return undefined;
  const address = parseIp(family === 'ipv4' ? text.replaceAll(/\b0+(?=\d)/g, '') : text);
  return address === undefined ? undefined : formatIp(address);
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 0xffff;
}

const addressBytes = { ipv4: 4, ipv6: 16 } as const;

/** Version 2: signature, version and command, family, length; then addresses and ports, and attributes we don't need. */
function judgeBlock(bytes: Buffer, families: readonly AddressFamily[]): Judgement {
  const [versionAndCommand = 0, familyAndProtocol = 0] = bytes.subarray(signature2.length);
  if (versionAndCommand >> 4 !== 2) return problem('unrecognized protocol version');
  const length = head2Bytes + bytes.readUInt16BE(signature2.length + 2);
  if (bytes.length < length) return problem('short version 2 protocol header', length > maxBytes);
  const command = versionAndCommand & 0xf;
  if (command === 0) return { isComplete: true, header: { kind: 'direct', length } };
  if (command !== 1) return problem('bad command in proxy header');
  const family = familyAndProtocol === 0x11 ? 'ipv4' : familyAndProtocol === 0x21 ? 'ipv6' : undefined;
  if (family === undefined) return problem('unsupported network protocol');
  const size = addressBytes[family];
  if (length < head2Bytes + 2 * size + 4) return problem('short address field');
  if (!families.includes(family)) {
    return problem(`Postfix ${family === 'ipv4' ? 'IPv4' : 'IPv6'} support is disabled`);
  }
  const ports = head2Bytes + 2 * size;
  return {
    isComplete: true,
    header: {
      kind: 'proxied',
      client: { address: addressAt(bytes, head2Bytes, size), port: String(bytes.readUInt16BE(ports)) },
      server: { address: addressAt(bytes, head2Bytes + size, size), port: String(bytes.readUInt16BE(ports + 2)) },
      length,
    },
  };
}

function addressAt(bytes: Buffer, at: number, size: number): string {
  const part = bytes.subarray(at, at + size);
  const text = formatIp({ family: size === addressBytes.ipv4 ? 'ipv4' : 'ipv6', bytes: part });
  // an IPv4 address in IPv6 clothes is an IPv4 address
  const plain = parseIp(text);
  return plain === undefined ? text : formatIp(plain);
}
