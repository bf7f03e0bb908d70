/** How much of TLS the log has, for each client. postconf(5) smtpd_tls_loglevel, smtpd_tls_loglevel_maps */
import type { Settings } from '#config';
import { type MaybePromise, whenReady } from '#message';
import type { TableList, TableOpener } from '#tables';
import type { TlsParameters } from './parameters.ts';

/** From here on, details of handshakes are told. */
export const detailedLevel = 2;

export interface LogLevelOptions {
  readonly settings: Settings;
  readonly names: TlsParameters;
  readonly tables: TableOpener;
}

const levelOf = (text: string): number => Number.parseInt(text, 10) || 0;

export class LogLevels {
  readonly #standard: number;
  readonly #maps: TableList;

  constructor({ settings, names, tables }: LogLevelOptions) {
    this.#standard = levelOf(settings.string(names.logLevel));
    this.#maps = tables.listOf(names.logLevelMaps);
  }

  /** A client is looked up by name, then by address; a table that fails says nothing. */
  of({ name, address }: { readonly name: string; readonly address: string }): MaybePromise<number> {
    if (this.#maps.isEmpty) return this.#standard;
    return whenReady(this.#maps.lookup(name), (byName): MaybePromise<number> => {
      if (byName.kind === 'found') return levelOf(byName.value);
      return whenReady(this.#maps.lookup(address), (byAddress) =>
        byAddress.kind === 'found' ? levelOf(byAddress.value) : this.#standard,
      );
    });
  }
}
