/** How restrictions look mail addresses up in tables that are no access tables. postconf(5) recipient_delimiter */
import { foldCase } from '#address';
import { type AddressLookupOptions, findByAddress, type TableList } from '#tables';
import type { Toolbox } from './restriction.ts';

type Find = (tables: TableList, address: string) => ReturnType<typeof findByAddress>;
type Parts = Pick<Toolbox, 'settings' | 'compiled' | 'isLocalDomain'>;

/** Gives what finds an address (internal form): its keys are in lower case for every kind of table. */
export function addressFinder(toolbox: Parts): Find {
  const options = lookupOptions(toolbox);
  return (tables, address) => findByAddress(tables, foldCase(address), options);
}

function lookupOptions({ settings, compiled, isLocalDomain }: Parts): AddressLookupOptions {
  const origin = settings.string('myorigin').toLowerCase();
  return {
    ...compiled.extension,
    isLocalDomain: (domain) => (domain.toLowerCase() === origin ? 'yes' : isLocalDomain(domain)),
  };
}
