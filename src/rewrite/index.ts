/** Rewriting to standard form, and routing. trivial-rewrite(8) */
export type { AddressClass, Resolution } from './resolution.ts';
