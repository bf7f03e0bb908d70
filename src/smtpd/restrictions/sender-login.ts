/** reject_sender_login_mismatch and its kin: whose address a sender uses. postconf(5) smtpd_sender_login_maps */
import { foldCase } from '#address';
import { type MaybePromise, whenReady } from '#message';
import type { TableList } from '#tables';
import { addressFinder } from './address-lookup.ts';
import {
  configurationError,
  type Constructor,
  type Decision,
  dunno,
  type Evaluation,
  lookupFailure,
} from './restriction.ts';

const mapsName = 'smtpd_sender_login_maps';

/** What a check asks of those who have logged in, and of those who haven't. */
interface Check {
  /** As the log calls it where nobody can log in. */
  readonly name: string;
  /** `owner`: the address has to be theirs; `ownerIfAny`: unless it is nobody's; `any`: any will do. */
  readonly loggedIn: 'owner' | 'ownerIfAny' | 'any';
  /** `unowned`: the address must not be anybody's. */
  readonly others: 'unowned' | 'any';
}

const authenticated: Check = {
  name: 'reject_authenticated_sender_login_mismatch',
  loggedIn: 'owner',
  others: 'any',
};
const unauthenticated: Check = {
  name: 'reject_unauthenticated_sender_login_mismatch',
  loggedIn: 'any',
  others: 'unowned',
};
const known: Check = { name: 'reject_known_sender_login_mismatch', loggedIn: 'ownerIfAny', others: 'unowned' };

/** Who owns an address: names as the table lists them; undefined: nobody. Or the reply, when that can't be told. */
type Owners = { readonly kind: 'owners'; readonly names: readonly string[] | undefined } | Decision;
type OwnersOf = (sender: string, evaluation: Evaluation) => MaybePromise<Owners>;

function ownersIn(maps: TableList, find: ReturnType<typeof addressFinder>): OwnersOf {
  return (sender, { facts, route }) =>
    whenReady(route(sender, facts.recipient), (resolution): MaybePromise<Owners> => {
      if (resolution.kind === 'failed') return lookupFailure(sender);
      const address = resolution.kind === 'resolved' ? resolution.recipient : sender;
      return whenReady(find(maps, address), (found): Owners => {
        if (found.kind === 'failed') return found.isMistake === true ? configurationError : lookupFailure(sender);
        return { kind: 'owners', names: found.kind === 'found' ? found.value.split(/[, \t\r\n]+/) : undefined };
      });
    });
}

function judge(check: Check, names: readonly string[] | undefined, { facts, subject }: Evaluation): Decision {
  const refused = (reason: string): Decision => ({
    kind: 'reject',
    code: 553,
    dsn: '5.7.1',
    text: `<${subject.datum}>: Sender address rejected: ${reason}`,
  });
  const { saslUsername } = facts;
  if (saslUsername === '') return names === undefined ? dunno : refused('not logged in');
  const isOwner = names?.some((name) => foldCase(name) === foldCase(saslUsername));
  return (isOwner ?? check.loggedIn === 'ownerIfAny') ? dunno : refused(`not owned by user ${saslUsername}`);
}

function run(check: Check, evaluation: Evaluation, ownersOf: OwnersOf): MaybePromise<Decision> {
  const { facts, warn } = evaluation;
  if (facts.canLogIn !== true) {
    warn(`restriction \`${check.name}' ignored: no SASL support`);
    return dunno;
  }
  const { sender, saslUsername } = facts;
  // bounces are nobody's
  if (sender === undefined || sender === '') return dunno;
  if ((saslUsername === '' ? check.others : check.loggedIn) === 'any') return dunno;
  return whenReady(ownersOf(sender, evaluation), (owners) =>
    owners.kind === 'owners' ? judge(check, owners.names, evaluation) : owners,
  );
}

/** The checks one after the other, up to the one that refuses. */
function mismatch(...checks: readonly Check[]): Constructor {
  return (toolbox) => {
    const maps = toolbox.tables.listOf(mapsName);
    const ownersOf = ownersIn(maps, addressFinder(toolbox));
    const step = (evaluation: Evaluation, at: number): MaybePromise<Decision> => {
      const check = checks[at];
      if (check === undefined) return dunno;
      return whenReady(run(check, evaluation, ownersOf), (decision): MaybePromise<Decision> =>
        decision.kind === 'dunno' ? step(evaluation, at + 1) : decision,
      );
    };
    return (evaluation) => step(evaluation, 0);
  };
}

export const senderLogin: Readonly<Record<string, Constructor>> = {
  reject_sender_login_mismatch: mismatch(authenticated, unauthenticated),
  reject_authenticated_sender_login_mismatch: mismatch(authenticated),
  reject_unauthenticated_sender_login_mismatch: mismatch(unauthenticated),
  reject_known_sender_login_mismatch: mismatch(known),
};
