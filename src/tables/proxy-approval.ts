/** Which tables may be reached through `proxy:`. proxymap(8); postconf(5) proxy_read_maps, proxy_write_maps */
import { type Settings, splitList } from '#config';
import { insideBraces } from './braces.ts';

export type ProxyList = 'proxy_read_maps' | 'proxy_write_maps';

const services: Readonly<Record<ProxyList, string>> = { proxy_read_maps: 'proxymap', proxy_write_maps: 'proxywrite' };
const kinds: Readonly<Record<ProxyList, string>> = { proxy_read_maps: 'read-only', proxy_write_maps: 'read-write' };
const prefix = /^(?:proxy:)+/;
const nested = /^(?:pipemap|unionmap):/;

/** `type:name` of a table that is written `proxy:type:name`. */
export function proxiedName(spec: string): string {
  return spec.replace(prefix, '');
}

/** Tables named with `proxy:` among words, in `{ … }` with options, or inside pipemap: and unionmap:. */
function approved(words: readonly string[]): readonly string[] {
  return words.flatMap((word) => {
    const name = word.startsWith('{') ? (splitList(insideBraces(word) ?? '')[0] ?? '') : word;
    if (nested.test(name)) return approved(splitList(insideBraces(name.replace(nested, '')) ?? ''));
    return prefix.test(name) ? [proxiedName(name)] : [];
  });
}

/** The approvals of a configuration, read when the first table asks. */
export class ProxyApproval {
  readonly #settings: Settings;
  readonly #parameter: ProxyList;
  #approved: ReadonlySet<string> | undefined;

  constructor(settings: Settings, parameter: ProxyList) {
    this.#settings = settings;
    this.#parameter = parameter;
  }

  /** Why a table may not be used; undefined when it may. `warn` hears what Postfix's service says of it. */
  refusal(table: string, warn: (text: string) => void): string | undefined {
    const parameter = this.#parameter;
    this.#approved ??= new Set(approved(splitList(this.#settings.string(parameter))));
    if (this.#approved.has(table)) return undefined;
    warn(`request for unapproved table: "${table}"`);
    warn(`to approve this table for ${kinds[parameter]} access, list proxy:${table} in main.cf:${parameter}`);
    return `${services[parameter]} service is not configured for table "${table}"`;
  }
}
