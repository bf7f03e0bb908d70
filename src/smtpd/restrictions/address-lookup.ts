/** How restrictions look mail addresses up in tables that are no access tables. postconf(5) recipient_delimiter */
import { foldCase } from '#address';
import { createBareKeyTest } from '#rewrite';
import { findByAddress, type TableList } from '#tables';
import type { Toolbox } from './restriction.ts';

type Find = (tables: TableList, address: string) => ReturnType<typeof findByAddress>;
type Parts = Pick<Toolbox, 'settings' | 'compiled' | 'isLocalDomain'>;

/** Gives what finds an address (internal form): its keys are in lower case for every kind of table. */
export function addressFinder(toolbox: Parts): Find {
  const { settings, compiled, isLocalDomain } = toolbox;
  const options = {
    ...compiled.extension,
    isLocalDomain: createBareKeyTest(isLocalDomain, settings.string('myorigin')),
  };
  return (tables, address) => findByAddress(tables, foldCase(address), options);
}
