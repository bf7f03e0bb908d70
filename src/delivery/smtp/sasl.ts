/**
 * Login at a server: whose password, which mechanism, and the exchange (RFC 4954; SASL_README).
 *
 * A destination without a password gets its mail without login, as Postfix does it; one with a password and no usable
 * mechanism does not get it at all for now.
 */
import type { MaybePromise, Status } from '#message';
import { findByAddress, type MatchList, type TableList, type TableListResult } from '#tables';
import type { Connection } from './connection.ts';
import type { ServerFeatures } from './features.ts';
import type { Reply } from './reply.ts';
import { oneLine } from './refusal.ts';
import { answersOf, type Credentials, knownMechanisms, speaksFirst } from './sasl-answers.ts';
import type { Breakdown } from './trouble.ts';

export interface SaslRules {
  readonly passwords: TableList;
  readonly mechanismFilter: MatchList;
  readonly senderDependent: boolean;
  /** smtp_sasl_security_options, and those that hold inside TLS. */
  readonly options: readonly string[];
  readonly tlsOptions: readonly string[];
  readonly delimiter: string;
  /** A refused login counts as temporary. */
  readonly softBounce: boolean;
  readonly recipientDelimiter: string;
  readonly doubleBounceName: string;
}

export type Login =
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly status: Status }
  /** `unjudged`: the password could not be looked up. */
  | { readonly kind: 'broken'; readonly how: Breakdown };

/** Whose password is wanted. */
export interface PasswordTarget {
  readonly connection: Connection;
  readonly sender: string;
  /** As configured, with brackets and port. */
  readonly nexthop: string;
}

/** What a login needs to know of the session. */
export interface LoginTarget extends PasswordTarget {
  readonly features: ServerFeatures;
  readonly timeoutMs: number;
  readonly warn: (text: string) => void;
}

/** Logs in if the server offers it and a password is known. */
export async function logIn(rules: SaslRules, target: LoginTarget): Promise<Login> {
  const { connection, features, warn } = target;
  if (features.auth.length === 0) return { kind: 'done' };
  const found = await findPassword(rules, target);
  if (found.kind === 'failed') return { kind: 'broken', how: 'unjudged' };
  if (found.kind === 'missing') return { kind: 'done' };
  const cut = found.value.indexOf(rules.delimiter);
  const username = cut < 0 ? found.value : found.value.slice(0, cut);
  const password = cut < 0 ? '' : found.value.slice(cut + rules.delimiter.length);
  if (username === '') return { kind: 'done' };
  const offered = await passingFilter(rules, features.auth);
  if (offered.length === 0) {
    warn(`${connection.label} offered no supported AUTH mechanisms: '${features.auth.join(' ')}'`);
    return noMechanism(
      `: server ${connection.name} offered no compatible authentication mechanisms for this type of connection security`,
    );
  }
  const options = connection.isSecured ? rules.tlsOptions : rules.options;
  const mechanism = knownMechanisms(options.includes('noplaintext')).find((name) => offered.includes(name));
  if (mechanism === undefined) {
    warn('SASL authentication failure: No worthy mechs found');
    return noMechanism(`; cannot authenticate to server ${connection.name}: no mechanism available`);
  }
  return exchange(rules, target, mechanism, { username, password });
}

/** Whether there is a password for the server, as far as can be told: then nothing is said to it in plaintext instead. */
export async function hasPassword(rules: SaslRules, target: PasswordTarget): Promise<boolean> {
  return (await findPassword(rules, target)).kind !== 'missing';
}

function noMechanism(why: string): Login {
  return refused({ code: '4.7.0', reason: `SASL authentication failed${why}` });
}

function refused(status: Status): Login {
  return { kind: 'refused', status };
}

type Found =
  | { readonly kind: 'found'; readonly value: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'failed' };

/** By sender if senders have passwords of their own, then by server, then by nexthop. */
async function findPassword(rules: SaslRules, { connection, sender, nexthop }: PasswordTarget): Promise<Found> {
  const keys: (() => MaybePromise<TableListResult | Awaited<ReturnType<typeof findByAddress>>>)[] = [];
  if (rules.senderDependent && sender !== '') {
    const { recipientDelimiter, doubleBounceName } = rules;
    const options = {
      recipientDelimiter,
      doubleBounceName,
      ownerRequestSpecial: false,
      isLocalDomain: () => 'no' as const,
    };
    keys.push(() => findByAddress(rules.passwords, sender, options));
  }
  keys.push(() => rules.passwords.lookup(connection.endpoint.host));
  keys.push(() => rules.passwords.lookup(nexthop));
  for (const look of keys) {
    const result = await look();
    if (result.kind === 'found') return { kind: 'found', value: result.value };
    if (result.kind === 'failed') return { kind: 'failed' };
  }
  return { kind: 'missing' };
}

/** What smtp_sasl_mechanism_filter leaves of what the server offers. */
async function passingFilter({ mechanismFilter }: SaslRules, offered: readonly string[]): Promise<readonly string[]> {
  if (mechanismFilter.isEmpty) return offered;
  const passing: string[] = [];
  for (const name of offered) if ((await mechanismFilter.matches(name)) === 'yes') passing.push(name);
  return passing;
}

/** In transcripts, instead of what would let anybody in who reads them. */
const hidden = '(not shown)';

async function exchange(
  rules: SaslRules,
  { connection, timeoutMs }: LoginTarget,
  mechanism: string,
  credentials: Credentials,
): Promise<Login> {
  const answers = answersOf(mechanism, credentials);
  const initial = speaksFirst(mechanism) ? await answers.next('') : undefined;
  if (initial !== undefined) connection.command(`AUTH ${mechanism} ${initial}`, `AUTH ${mechanism} ${hidden}`);
  else connection.command(`AUTH ${mechanism}`);
  let isCancelled = false;
  for (;;) {
    const heard = await connection.next(timeoutMs);
    if (heard.kind !== 'reply') return { kind: 'broken', how: heard.kind };
    const { reply } = heard;
    if (reply.code >= 200 && reply.code < 300) {
      connection.isPersonal = true;
      return { kind: 'done' };
    }
    if (reply.code < 300 || reply.code >= 400 || isCancelled) return refused(loginRefusal(rules, connection, reply));
    // a challenge that we have no answer to is cancelled (RFC 4954, 4), once
    const answer = await answers.next(reply.text.slice(4));
    isCancelled = answer === undefined;
    connection.command(answer ?? '*', hidden);
  }
}

function loginRefusal(rules: SaslRules, connection: Connection, reply: Reply): Status {
  const code = reply.dsn.startsWith('5') && rules.softBounce ? `4${reply.dsn.slice(1)}` : reply.dsn;
  return {
    code: code.startsWith('4') || code.startsWith('5') ? code : '4.7.0',
    reason: `SASL authentication failed; server ${connection.name} said: ${oneLine(reply)}`,
    diagnostic: { type: 'smtp', text: oneLine(reply) },
    remoteMta: `dns; ${connection.endpoint.host}`,
  };
}
