/** XCLIENT and XFORWARD: another host says on whose behalf it speaks. XCLIENT_README, XFORWARD_README */
import { formatIp, isValidHostName, parseIp } from '#address';
import { decodeXtext, neutered } from '#smtp';
import type { ClientFacts } from '../session-state.ts';

export interface Override {
  readonly client: ClientFacts;
  readonly helo: string | undefined;
  readonly protocol: string | undefined;
  readonly login: string | undefined;
  /** XFORWARD: the queue ID at the host that speaks, and whether the message began there. */
  readonly ident: string | undefined;
  readonly source: string | undefined;
}

const unavailable = '[UNAVAILABLE]';
const temporarily = '[TEMPUNAVAIL]';
const longestValue = 255;
const longestProtocol = 64;
const attributes = {
  XCLIENT: new Set(['NAME', 'REVERSE_NAME', 'ADDR', 'PORT', 'HELO', 'PROTO', 'LOGIN', 'DESTADDR', 'DESTPORT']),
  XFORWARD: new Set(['NAME', 'ADDR', 'PORT', 'HELO', 'PROTO', 'IDENT', 'SOURCE']),
};
/** Those that are told as they came. */
const plainAttributes = {
  XCLIENT: new Set(['NAME', 'REVERSE_NAME', 'PORT', 'DESTPORT', 'PROTO', 'LOGIN']),
  XFORWARD: new Set(['PORT', 'SOURCE']),
};

type Families = readonly ('ipv4' | 'ipv6')[];

interface Source {
  readonly command: 'XCLIENT' | 'XFORWARD';
  /** Those in use. inet_protocols */
  readonly families: Families;
  /** smtputf8_enable. */
  readonly isUtf8: boolean;
}

const isUnavailable = (value: string): boolean => value.toUpperCase() === unavailable;

/** `192.0.2.1` or `IPV6:2001:db8::1`, of a family that is in use. */
function parseAddress(value: string, families: Families): string | undefined {
  if (isUnavailable(value)) return 'unknown';
  const text = value.replace(/^IPV6:/i, '');
  const address = parseIp(text);
  if (address === undefined || !families.includes(address.family)) return undefined;
  return (text !== value) === text.includes(':') ? formatIp(address) : undefined;
}

function parsePort(value: string): string | undefined {
  if (isUnavailable(value)) return 'unknown';
  return /^\d{1,5}$/.test(value) ? value : undefined;
}

/** What a command came to: attributes before a bad one count. `refusal`: the reply that tells of the bad one. */
export interface Applied {
  readonly override: Override;
  readonly refusal: string | undefined;
}

/** Applies `NAME=value …` to a client. */
export function applyOverrides(words: readonly string[], start: Override, from: Source): Applied {
  const { command } = from;
  let override = start;
  for (const word of words) {
    const at = word.indexOf('=');
    const raw = at < 0 ? '' : word.slice(at + 1);
    if (raw === '') return { override, refusal: '501 5.5.4 Error: attribute=value expected' };
    if (raw.length > longestValue) return { override, refusal: '501 5.5.4 Error: attribute value too long' };
    const decoded = decodeXtext(raw) ?? raw;
    const name = word.slice(0, at);
    const isPlain = plainAttributes[command].has(name.toUpperCase());
    const value = isPlain ? decoded : neutered(decoded, from.isUtf8);
    const next = applyOne(name, value, override, from);
    if (typeof next === 'string') return { override, refusal: next };
    override = next;
  }
  return { override, refusal: undefined };
}

/** With one attribute more; a text is the refusal. */
function applyOne(written: string, value: string, so: Override, { command, families }: Source): Override | string {
  const name = written.toUpperCase();
  if (!attributes[command].has(name)) return `501 5.5.4 Bad ${command} attribute name: ${written}`;
  const bad = `501 5.5.4 Bad ${name} syntax: ${value}`;
  const isUnknown = isUnavailable(value);
  const isTemporary = command === 'XCLIENT' && value.toUpperCase() === temporarily;
  const status = isTemporary ? 'tempfail' : isUnknown ? 'unknown' : 'ok';
  const { client } = so;
  switch (name) {
    case 'NAME':
      if (status === 'ok' && !isValidHostName(value)) return bad;
      if (status !== 'ok') return { ...so, client: { ...client, name: 'unknown', nameStatus: status } };
      // who has a name has it in both directions, unless the client says otherwise behind it
      return {
        ...so,
        client: { ...client, name: value, nameStatus: 'ok', reverseName: value, reverseNameStatus: 'ok' },
      };
    case 'REVERSE_NAME':
      if (status === 'ok' && !isValidHostName(value)) return bad;
      return {
        ...so,
        client: { ...client, reverseName: status === 'ok' ? value : 'unknown', reverseNameStatus: status },
      };
    case 'ADDR': {
      const address = parseAddress(value, families);
      return address === undefined ? bad : { ...so, client: { ...client, address } };
    }
    case 'PORT': {
      const port = parsePort(value);
      return port === undefined ? bad : { ...so, client: { ...client, port } };
    }
    case 'HELO':
      return { ...so, helo: isUnknown ? '' : value };
    case 'PROTO':
      if (command === 'XCLIENT' ? !/^e?smtp$/i.test(value) : value.length > longestProtocol) return bad;
      return { ...so, protocol: isUnknown ? '' : value.toUpperCase() };
    case 'LOGIN':
      return { ...so, login: isUnknown ? '' : value };
    case 'DESTADDR': {
      const serverAddress = parseAddress(value, families);
      return serverAddress === undefined ? bad : { ...so, client: { ...client, serverAddress } };
    }
    case 'DESTPORT': {
      const serverPort = parsePort(value);
      return serverPort === undefined ? bad : { ...so, client: { ...client, serverPort } };
    }
    case 'IDENT':
      return { ...so, ident: isUnknown ? '' : value };
    case 'SOURCE':
      if (!/^(?:local|remote)$/i.test(value) && !isUnknown) return bad;
      return { ...so, source: isUnknown ? '' : value.toUpperCase() };
    default:
      return so;
  }
}
