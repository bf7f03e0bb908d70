/** Where the mailbox of an address is, and whose: by table, below virtual_mailbox_base. virtual(8) */
import { splitAddress } from '#address';
import { readExtensionRules, type Settings } from '#config';
import type { Status } from '#message';
import { createBareKeyTest, createLocalDomainTest, type Rewriter } from '#rewrite';
import { type AddressLookupOptions, findByAddress, type TableList, type TableOpener } from '#tables';

export interface Mailbox {
  readonly path: string;
  readonly isMaildir: boolean;
  readonly uid: number;
  readonly gid: number;
}

export interface MailboxesOptions {
  readonly settings: Settings;
  readonly tables: TableOpener;
  readonly rewriter: Pick<Rewriter, 'ownAddresses'>;
}

const configurationTrouble: Status = { code: '4.3.5', reason: 'mail system configuration error' };

export class Mailboxes {
  readonly #base: string;
  readonly #maps: TableList;
  readonly #uids: TableList;
  readonly #gids: TableList;
  readonly #lookup: AddressLookupOptions;
  readonly #catchall: string;
  readonly #minimumUid: number;
  readonly #warn: (text: string) => void;

  /** `warn` hears of tables that are wrong. */
  constructor({ settings, tables, rewriter }: MailboxesOptions, warn: (text: string) => void) {
    this.#base = settings.string('virtual_mailbox_base');
    this.#maps = tables.listOf('virtual_mailbox_maps', { paranoid: true });
    this.#uids = tables.listOf('virtual_uid_maps', { paranoid: true });
    this.#gids = tables.listOf('virtual_gid_maps', { paranoid: true });
    const mydestination = tables.matchList('mydestination', 'string', settings.elements('mydestination'));
    this.#lookup = {
      ...readExtensionRules(settings),
      isLocalDomain: createBareKeyTest(
        createLocalDomainTest(mydestination, rewriter.ownAddresses),
        settings.string('myorigin'),
      ),
    };
    this.#catchall = settings.string('posthorn_catchall_maildir');
    this.#minimumUid = settings.int('virtual_minimum_uid');
    this.#warn = warn;
  }

  /** The mailbox, or why there is none to deliver to. */
  async find(address: string): Promise<Mailbox | Status> {
    const found = await findByAddress(this.#maps, address, this.#lookup);
    if (found.kind === 'failed')
      return this.#misconfigured(`table virtual_mailbox_maps: lookup ${address}: Application error`);
    const { localPart, domain } = splitAddress(address);
    const value = found.kind === 'found' ? found.value : this.#catchallPath(localPart, domain);
    if (value === undefined) return { code: '5.1.1', reason: `unknown user: "${address}"` };
    if (localPart === '' || domain === '') return { code: '5.1.3', reason: `bad address syntax` };
    const path = `${this.#base}/${value}`;
    const uid = await this.#number('uid', this.#uids, address, this.#minimumUid);
    if (typeof uid !== 'number') return uid;
    const gid = await this.#number('gid', this.#gids, address, 1);
    if (typeof gid !== 'number') return gid;
    return { path, isMaildir: value.endsWith('/'), uid, gid };
  }

  /** posthorn_catchall_maildir for one recipient; undefined when it is off, or the name can't be a file's. */
  #catchallPath(localPart: string, domain: string): string | undefined {
    if (this.#catchall === '' || !/^[\w+=-][\w.+=-]*$/.test(localPart)) return undefined;
    return this.#catchall.replaceAll('$user', localPart.toLowerCase()).replaceAll('$domain', domain.toLowerCase());
  }

  async #number(what: 'uid' | 'gid', tables: TableList, address: string, minimum: number): Promise<number | Status> {
    const parameter = `virtual_${what}_maps`;
    const found = await findByAddress(tables, address, this.#lookup);
    if (found.kind !== 'found') return this.#misconfigured(`recipient ${address}: not found in ${parameter}`);
    const value = Number(found.value);
    if (Number.isInteger(value) && value >= minimum) return value;
    return this.#misconfigured(`recipient ${address}: bad ${what} ${found.value} in ${parameter}`);
  }

  #misconfigured(warning: string): Status {
    this.#warn(warning);
    return configurationTrouble;
  }
}
