/** Networks as tables and lists write them: `192.0.2.0/24`, `[2001:db8::]/32`, `[2001:db8::/32]`. cidr_table(5) */
import { type IpNetwork, parseCidr, parseIp } from '#address';

/** The network that a pattern stands for; a text says what is wrong with it. */
export function readNetwork(pattern: string): IpNetwork | string {
  let bare = pattern;
  if (pattern.startsWith('[')) {
    const end = pattern.indexOf(']');
    if (end < 0) return `missing ']' character after "${pattern}"`;
    const behind = pattern.slice(end + 1);
    if (behind !== '' && !behind.startsWith('/')) return `garbage after "${pattern.slice(0, end + 1)}"`;
    bare = pattern.slice(1, end) + behind;
  }
  const slash = bare.indexOf('/');
  const parsed = parseCidr(bare);
  if (parsed.kind === 'ok') return parsed.network;
  if (slash < 0) return `bad address pattern: "${bare}"`;
  const length = bare.slice(slash + 1);
  if (!/^\d+$/.test(length)) return `bad mask value in "${bare}"`;
  const base = bare.slice(0, slash);
  if (parseIp(base) === undefined) return `bad network value in "${bare}"`;
  if (Number(length) > (base.includes(':') ? 128 : 32)) return `bad mask length in "${bare}"`;
  return parsed.kind === 'bad' ? parsed.reason : `bad address pattern: "${bare}"`;
}
