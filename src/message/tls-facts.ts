/** What protects an SMTP connection, and who the other side is by its certificate; with the words for log and trace fields. */

/** How the keys of a session came about: `X25519`, `ECDHE (prime256v1)`, `DHE (2048 bits)`. */
export interface KeyExchange {
  readonly name: string;
  readonly curve?: string;
  readonly bits?: number;
}

/** What one side signed the handshake with: `RSA-PSS (2048 bits)`, `ECDSA (prime256v1)`. */
export interface HandshakeSignature extends KeyExchange {
  /** `SHA256`; absent when it is not known, or part of the name. */
  readonly digest?: string;
}

export interface PeerCertificate {
  /** The subject's common name; '' when it has none that can be printed. */
  readonly commonName: string;
  /** The issuer's common name, or its organization. */
  readonly issuerName: string;
  /** Names left out because they can't be printed. */
  readonly unprintable: readonly string[];
  /** `/O=Org/CN=name` */
  readonly subject: string;
  readonly issuer: string;
  /** Digests in upper-case hexadecimal, the bytes separated by colons. */
  readonly fingerprint: string;
  readonly keyFingerprint: string;
  /** Why it is not believed; undefined: a known authority vouches for it. */
  readonly problem: string | undefined;
}

export interface TlsFacts {
  /** `TLSv1.3` */
  readonly protocol: string;
  readonly cipher: string;
  readonly keyBits: number;
  /** Absent before TLS 1.3, and where it is not known. */
  readonly keyExchange?: KeyExchange | undefined;
  readonly serverSignature?: HandshakeSignature | undefined;
  readonly clientSignature?: HandshakeSignature | undefined;
  /** The name that the client asked for, and for which the server has a certificate; '' otherwise. */
  readonly serverName: string;
  readonly peer: PeerCertificate | undefined;
}

/** Whether the other side has shown who it is, and somebody we trust says that it is so. */
export function isTrusted({ peer }: TlsFacts): boolean {
  return peer !== undefined && peer.problem === undefined;
}

function keyText({ name, curve, bits }: KeyExchange): string {
  if (curve !== undefined) return `${name} (${curve})`;
  return bits === undefined ? name : `${name} (${bits} bits)`;
}

function signed(side: 'server' | 'client', signature: HandshakeSignature | undefined): string {
  if (signature === undefined) return '';
  const digest = signature.digest === undefined ? '' : ` ${side}-digest ${signature.digest}`;
  return `${side}-signature ${keyText(signature)}${digest}`;
}

/** The words about a session: protocol and cipher, then what is known of the key exchange; `own` and `other` are '' when not. */
export function tlsWords(tls: TlsFacts): { readonly cipher: string; readonly own: string; readonly other: string } {
  const { protocol, cipher, keyBits, keyExchange } = tls;
  const exchange = keyExchange === undefined ? '' : `key-exchange ${keyText(keyExchange)}`;
  return {
    cipher: `${protocol} with cipher ${cipher} (${keyBits}/${keyBits} bits)`,
    own: [exchange, signed('server', tls.serverSignature)].filter((part) => part !== '').join(' '),
    other: signed('client', tls.clientSignature),
  };
}
