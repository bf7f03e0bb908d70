/** SCRAM without channel bindings: what both sides say, and what follows from a password. RFC 5802, 5, 7 */
import { createHash, createHmac, pbkdf2 } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify(pbkdf2);

/** Names of mechanisms → digests. RFC 5802, 4; RFC 7677 */
export const scramHashes: ReadonlyMap<string, string> = new Map([
  ['SCRAM-SHA-512', 'sha512'],
  ['SCRAM-SHA-384', 'sha384'],
  ['SCRAM-SHA-256', 'sha256'],
  ['SCRAM-SHA-224', 'sha224'],
  ['SCRAM-SHA-1', 'sha1'],
]);

export interface ClientFirst {
  /** With both commas. */
  readonly gs2Header: string;
  readonly wantsBinding: boolean;
  readonly username: string;
  /** '': for itself. */
  readonly authzid: string;
  readonly nonce: string;
  /** Without the header: part of what is signed. */
  readonly bare: string;
}

const shortestFirst = 10;
const shortestFinal = 3;

/** undefined: a `=` that stands for nothing. */
function nameIn(text: string): string | undefined {
  return /=(?!2C|3D)/i.test(text)
    ? undefined
    : text.replaceAll(/=(2C|3D)/gi, (_all, hex: string) => (hex.toUpperCase() === '2C' ? ',' : '='));
}

/** A text says what is wrong. */
export function readClientFirst(text: string, mechanism: string): ClientFirst | string {
  const input = `in ${mechanism} input`;
  if (text === '') return `${mechanism} input expected`;
  if (text.length < shortestFirst) return `Invalid ${mechanism} input`;
  if (!/^[ynp]/.test(text)) return `The initial ${mechanism} client response needs to start with 'y', 'n' or 'p'`;
  const [gs2Header = '', binding = '', authzidText = ''] = /^(p=[^,]*|[yn]),(?:a=([^,]*))?,/.exec(text) ?? [];
  if (gs2Header === '') return `',' expected ${input}`;
  const bare = text.slice(gs2Header.length);
  if (bare.startsWith('m=')) return `Unsupported mandatory extension to ${mechanism}`;
  if (!bare.startsWith('n=')) return `Username expected ${input}`;
  const [, name = '', nonce] = /^n=([^,]*),r=([^,]*)/.exec(bare) ?? [];
  if (nonce === undefined) return `Nonce expected after the username ${input}`;
  const username = nameIn(name);
  const authzid = nameIn(authzidText);
  if (username === undefined || authzid === undefined) return `Invalid username encoding ${input}`;
  return { gs2Header, wantsBinding: binding.startsWith('p'), username, authzid, nonce, bare };
}

export interface ClientFinal {
  readonly proof: Buffer;
  /** What is signed of it. */
  readonly withoutProof: string;
}

/** A text says what is wrong. `nonce`: of both sides. */
export function readClientFinal(
  text: string,
  { mechanism, first, nonce }: { readonly mechanism: string; readonly first: ClientFirst; readonly nonce: string },
): ClientFinal | string {
  const input = `${mechanism} input`;
  if (text === '') return `${input} expected`;
  if (text.length < shortestFinal || text[1] !== '=') return `Invalid ${input}`;
  if (!text.startsWith('c=')) return `Channel binding expected in ${input}`;
  const [withoutProof = '', binding = '', said = ''] = /^c=([^,]*),r=([^,]*)(?:,(?!p=)[^,]*)*/.exec(text) ?? [];
  if (withoutProof === '') return `Nonce expected after channel binding in ${input}`;
  const [, proofText] = /,p=([^,]*)$/.exec(text) ?? [];
  if (proofText === undefined) return `At least proof is expected in ${input}`;
  const header = decoded(binding)?.toString('latin1');
  if (header === undefined) return `Invalid base64 encoding of the channel bindings in ${mechanism}`;
  const where = `the one received in the GS2 header of ${mechanism}`;
  if (header !== first.gs2Header) {
    return `Channel bindings prefix doesn't match ${where}. Expected "${first.gs2Header}"`;
  }
  if (first.wantsBinding) return `Channel bindings data expected in ${mechanism}`;
  if (said !== nonce) return `Nonce mismatch ${input}`;
  const proof = decoded(proofText);
  return proof?.length === digestLength(mechanism)
    ? { proof, withoutProof }
    : `Invalid client proof length in ${input}`;
}

function decoded(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

const hashOf = (mechanism: string): string => scramHashes.get(mechanism) ?? 'sha256';
const digestLength = (mechanism: string): number => createHash(hashOf(mechanism)).digest().length;

export interface ScramSecrets {
  readonly salt: Buffer;
  readonly iterations: number;
}

export interface ScramKeys {
  readonly client: Buffer;
  readonly stored: Buffer;
  readonly server: Buffer;
}

export async function keysOf(
  mechanism: string,
  password: Buffer,
  { salt, iterations }: ScramSecrets,
): Promise<ScramKeys> {
  const hash = hashOf(mechanism);
  const prepared = password.toString('utf8').normalize('NFKC');
  const salted = await derive(prepared, salt, iterations, digestLength(mechanism), hash);
  const client = createHmac(hash, salted).update('Client Key').digest();
  return {
    client,
    stored: createHash(hash).update(client).digest(),
    server: createHmac(hash, salted).update('Server Key').digest(),
  };
}

const xor = (bytes: Buffer, others: Buffer): Buffer => Buffer.from(bytes.map((byte, at) => byte ^ (others[at] ?? 0)));

/** What shows the server that the client knows the password, and what the server has to say to show the same. */
export function proofOf(
  mechanism: string,
  { client, stored, server }: ScramKeys,
  signed: string,
): { readonly proof: string; readonly signature: string } {
  const hash = hashOf(mechanism);
  const proof = xor(client, createHmac(hash, stored).update(signed).digest());
  return {
    proof: proof.toString('base64'),
    signature: createHmac(hash, server).update(signed).digest('base64'),
  };
}

/** The client's proof and what it signs: whether it knows the password, and what shows it that the server does. */
export function checkProof(
  mechanism: string,
  { stored, server }: ScramKeys,
  proof: Buffer,
  signed: string,
): { readonly isRight: boolean; readonly signature: string } {
  const hash = hashOf(mechanism);
  const signature = createHmac(hash, stored).update(signed).digest();
  return {
    isRight: createHash(hash).update(xor(proof, signature)).digest().equals(stored),
    signature: createHmac(hash, server).update(signed).digest('base64'),
  };
}
