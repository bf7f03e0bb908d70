/** Rewriting to standard form, and routing. trivial-rewrite(8) */
export { createBareKeyTest, createLocalDomainTest } from './local-domain.ts';
export { rememberResolutions } from './known-resolutions.ts';
export type { AddressClass, Resolution } from './resolution.ts';
export { createRewriter, type Rewriter, type RewriterOptions } from './rewriter.ts';
export { ownAddresses, type OwnAddressFacts } from './own-addresses.ts';
