/** Who the other side is by its certificate, and whether that is believed. postconf(5) smtpd_tls_ccert_verifydepth */
import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { PeerCertificate } from '#message';
import { oneLine, peerCertificate, verificationProblem } from './certificate.ts';
import { chainOf, type VerifyStep, verifySteps } from './client-evidence.ts';

export interface PeerRules {
  /** Whom the certificates are shown by. */
  readonly whose: 'client' | 'server';
  /** smtpd_tls_fingerprint_digest */
  readonly digest: string;
  /** smtpd_tls_ccert_verifydepth */
  readonly verifyDepth: number;
  /** Those whose word is believed. */
  readonly authorities: () => readonly X509Certificate[];
}

/** What the other side has shown behind its own certificate, if it has this time. */
export interface Shown {
  readonly sent: readonly X509Certificate[];
  /** Who vouches for the last of them; undefined: not looked at. */
  readonly lastIssuer?: string;
}

export interface Judgement {
  readonly peer: PeerCertificate;
  readonly verification: readonly VerifyStep[];
}

/** More of them don't go on with sessions that were not to be believed. */
const maxRemembered = 10_000;

export class PeerJudge {
  readonly #rules: PeerRules;
  /** Certificates whose chain was too long: who goes on with a session does not show it again. */
  readonly #tooLong = new Set<string>();

  constructor(rules: PeerRules) {
    this.#rules = rules;
  }

  judge(secured: TLSSocket, certificate: X509Certificate, { sent, lastIssuer }: Shown): Judgement {
    const { whose, digest, authorities } = this.#rules;
    const chain = chainOf(certificate, sent, authorities());
    const code = errorOf(secured);
    const problem =
      code === undefined
        ? this.#lengthProblem(certificate, chain, secured.isSessionReused())
        : verificationProblem(code, lastIssuer ?? lastIssuerOf(signedChain(secured)), whose);
    return { peer: peerCertificate(certificate, problem, digest), verification: verifySteps(chain, code) };
  }

  #lengthProblem(
    { fingerprint256 }: X509Certificate,
    { length }: readonly X509Certificate[],
    isReused: boolean,
  ): string | undefined {
    // as Postfix counts: one more authority than the setting says, besides the one that is known
    const limit = this.#rules.verifyDepth + 1;
    if (length > limit + 2) {
      const [oldest] = this.#tooLong;
      if (this.#tooLong.size >= maxRemembered && oldest !== undefined) this.#tooLong.delete(oldest);
      this.#tooLong.add(fingerprint256);
    } else if (!isReused || !this.#tooLong.has(fingerprint256)) return undefined;
    return `certificate chain longer than limit(${limit})`;
  }
}

/** OpenSSL's code; undefined: the certificate is believed. */
function errorOf(secured: TLSSocket): string | undefined {
  if (secured.authorized) return undefined;
  const code: unknown = secured.authorizationError;
  return typeof code === 'string' ? code : 'UNVERIFIED';
}

/** As far as the signatures lead, the other side's own first. */
function signedChain(secured: TLSSocket): readonly DetailedPeerCertificate[] {
  const chain: DetailedPeerCertificate[] = [];
  let next: DetailedPeerCertificate | undefined = secured.getPeerCertificate(true);
  while (next !== undefined && !chain.includes(next)) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return chain;
}

/**
 * What a server has shown, its own certificate first; undefined: none. To be asked for once, before anything else of the
 * certificate: Node forgets the chain.
 */
export function shownBy(secured: TLSSocket): (Shown & { readonly own: X509Certificate }) | undefined {
  const chain = signedChain(secured).filter(({ raw }) => Buffer.isBuffer(raw));
  const [own, ...sent] = chain.map(({ raw }) => new X509Certificate(raw));
  return own && { own, sent, lastIssuer: oneLine((sent.at(-1) ?? own).issuer) };
}

/** Who has signed the last certificate that the signatures lead to. */
function lastIssuerOf(chain: readonly DetailedPeerCertificate[]): string {
  return Object.entries(chain.at(-1)?.issuer ?? {})
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => `/${name}=${one}`))
    .join('');
}
