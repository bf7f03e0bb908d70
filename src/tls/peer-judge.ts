/** Who a client is by its certificate, and whether that is believed. postconf(5) smtpd_tls_ccert_verifydepth */
import type { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { PeerCertificate } from '#message';
import { peerCertificate, verificationProblem } from './certificate.ts';
import { chainOf, type VerifyStep, verifySteps } from './client-evidence.ts';

export interface PeerRules {
  /** smtpd_tls_fingerprint_digest */
  readonly digest: string;
  /** smtpd_tls_ccert_verifydepth */
  readonly verifyDepth: number;
  /** Those whose word about clients is believed. */
  readonly authorities: () => readonly X509Certificate[];
}

export interface Judgement {
  readonly peer: PeerCertificate;
  readonly verification: readonly VerifyStep[];
}

/** More clients than these don't go on with sessions that were not to be believed. */
const maxRemembered = 10_000;

export class PeerJudge {
  readonly #rules: PeerRules;
  /** Certificates whose chain was too long: a client that goes on with a session does not show it again. */
  readonly #tooLong = new Set<string>();

  constructor(rules: PeerRules) {
    this.#rules = rules;
  }

  /** `sent`: the authorities that the client has shown, if it showed any this time. */
  judge(secured: TLSSocket, certificate: X509Certificate, sent: readonly X509Certificate[]): Judgement {
    const { digest, authorities } = this.#rules;
    const chain = chainOf(certificate, sent, authorities());
    const code = errorOf(secured);
    const problem =
      code === undefined
        ? this.#lengthProblem(certificate, chain, secured.isSessionReused())
        : verificationProblem(code, lastIssuerOf(secured));
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

/** Who has signed the last certificate that the signatures lead to. */
function lastIssuerOf(secured: TLSSocket): string {
  const chain: DetailedPeerCertificate[] = [];
  let next: DetailedPeerCertificate | undefined = secured.getPeerCertificate(true);
  while (next !== undefined && !chain.includes(next)) {
    chain.push(next);
    next = next.issuerCertificate;
  }
  return Object.entries(chain.at(-1)?.issuer ?? {})
    .flatMap(([name, value]) => (Array.isArray(value) ? value : [value]).map((one) => `/${name}=${one}`))
    .join('');
}
