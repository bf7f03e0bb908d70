/** Whether a client is known by its certificate. postconf(5) relay_clientcerts, permit_tls_all_clientcerts */
import { isTrusted, type MaybePromise, type PeerCertificate, type TlsFacts, whenReady } from '#message';
import type { TableList } from '#tables';

export type Known = 'yes' | 'no' | 'failed';

/** Any certificate that an authority vouches for. */
export function hasTrustedCertificate(tls: TlsFacts | undefined): boolean {
  return tls !== undefined && isTrusted(tls);
}

/** A certificate whose key, or which itself, is in a list; nobody needs to vouch for it. `failed`: the list can't be read. */
export function hasListedCertificate(list: TableList, peer: PeerCertificate | undefined): MaybePromise<Known> {
  if (peer === undefined) return 'no';
  return whenReady(list.lookup(peer.keyFingerprint), (byKey): MaybePromise<Known> => {
    if (byKey.kind !== 'missing') return byKey.kind === 'found' ? 'yes' : 'failed';
    return whenReady(list.lookup(peer.fingerprint), ({ kind }) =>
      kind === 'missing' ? 'no' : kind === 'found' ? 'yes' : 'failed',
    );
  });
}
