/** koffi, loaded on first use: that costs 10 ms and more, which most commands and deliveries don't have to pay. */
import { createRequire } from 'node:module';
import type koffiModule from 'koffi';

let loaded: typeof koffiModule | undefined;

export function koffi(): typeof koffiModule {
  loaded ??= loadKoffi();
  return loaded;
}

function loadKoffi(): typeof koffiModule {
  const found: typeof koffiModule = createRequire(import.meta.url)('koffi');
  return found;
}
