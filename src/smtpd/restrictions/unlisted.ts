/** Whether an address exists, per address class. smtpd_reject_unlisted_recipient, ADDRESS_CLASS_README */
import { splitAddress } from '#address';
import { type MaybePromise, whenReady } from '#message';
import { type AddressLookupOptions, findByAddress, type TableList } from '#tables';
import { type Constructor, type Decision, dunno, type Toolbox } from './restriction.ts';

type Existence =
  | { readonly kind: 'exists' }
  | { readonly kind: 'unknown'; readonly code: number; readonly suffix: string }
  | { readonly kind: 'refused'; readonly text: string; readonly isTemporary: boolean }
  | { readonly kind: 'failed'; readonly reason: string };

const exists: Existence = { kind: 'exists' };

interface ClassRule {
  readonly maps: TableList;
  readonly code: number;
  readonly suffix: string;
}

/** A test for recipients or senders with the tables of one service. */
export function existenceTest(
  toolbox: Toolbox,
  kind: 'sender' | 'recipient',
): (address: string, sender: string) => MaybePromise<Existence> {
  const { settings, tables, rewriter } = toolbox;
  const list = (name: string): TableList => tables.list(settings.elements(name));
  const showsTable = settings.bool('show_user_unknown_table_name');
  const rule = (maps: string, code: string, suffix: string): ClassRule => ({
    maps: list(maps),
    code: settings.int(code),
    suffix: showsTable ? suffix : '',
  });
  const rules = {
    local: rule('local_recipient_maps', 'unknown_local_recipient_reject_code', ' in local recipient table'),
    virtualAlias: rule('virtual_alias_maps', 'unknown_virtual_alias_reject_code', ' in virtual alias table'),
    virtualMailbox: rule('virtual_mailbox_maps', 'unknown_virtual_mailbox_reject_code', ' in virtual mailbox table'),
    relay: rule('relay_recipient_maps', 'unknown_relay_recipient_reject_code', ' in relay recipient table'),
  };
  const first = [
    ...(kind === 'recipient' ? ['recipient_canonical_maps'] : ['sender_canonical_maps']),
    'canonical_maps',
    'virtual_alias_maps',
  ].map(list);
  const lookup: AddressLookupOptions = {
    recipientDelimiter: settings.string('recipient_delimiter'),
    ownerRequestSpecial: settings.bool('owner_request_special'),
    doubleBounceName: settings.string('double_bounce_sender'),
    isLocalDomain: (domain) =>
      domain.toLowerCase() === settings.string('myorigin').toLowerCase() ? 'yes' : rewriter.isLocalDomain(domain),
  };
  const isAlwaysValid = (localPart: string): boolean =>
    ['postmaster', 'mailer-daemon', lookup.doubleBounceName.toLowerCase()].includes(localPart.toLowerCase());

  const byClass = (name: string, recipient: string): MaybePromise<Existence> => {
    const found = Object.entries(rules).find(([className]) => className === name)?.[1];
    if (found === undefined || found.maps.isEmpty) return exists;
    if (name === 'local' && isAlwaysValid(splitAddress(recipient).localPart)) return exists;
    return whenReady(findByAddress(found.maps, recipient, lookup), (result): Existence => {
      if (result.kind === 'failed') return result;
      return result.kind === 'found' ? exists : { kind: 'unknown', code: found.code, suffix: found.suffix };
    });
  };

  return (address, sender) => {
    const rewritten = rewriter.rewrite(address, 'local');
    const step = (at: number): MaybePromise<Existence> => {
      const maps = first[at];
      if (maps !== undefined) {
        return whenReady(findByAddress(maps, rewritten, lookup), (result): MaybePromise<Existence> =>
          result.kind === 'found' ? exists : result.kind === 'failed' ? result : step(at + 1),
        );
      }
      return whenReady(rewriter.resolve(sender, rewritten), (resolution): MaybePromise<Existence> => {
        if (resolution.kind === 'failed') return { kind: 'failed', reason: resolution.reason };
        if (resolution.kind === 'invalid') return exists;
        if (
          (resolution.transport === 'error' || resolution.transport === 'retry') &&
          resolution.addressClass !== 'virtualAlias'
        )
          return { kind: 'refused', text: resolution.nexthop, isTemporary: resolution.transport === 'retry' };
        return byClass(resolution.addressClass, resolution.recipient);
      });
    };
    return step(0);
  };
}

function unlisted(kind: 'sender' | 'recipient'): Constructor {
  return (toolbox) => {
    const test = existenceTest(toolbox, kind);
    return (evaluation) => {
      const { facts, subject, ran } = evaluation;
      const address = kind === 'sender' ? facts.sender : facts.recipient;
      ran.add(`reject_unlisted_${kind}`);
      if (address === undefined || address === '') return dunno;
      return whenReady(test(address, kind === 'sender' ? '' : (facts.sender ?? '')), (existence): Decision => {
        const refused = (text: string): string => `<${subject.datum}>: ${subject.replyClass} rejected: ${text}`;
        switch (existence.kind) {
          case 'exists':
            return dunno;
          case 'failed':
            evaluation.warn(existence.reason);
            return { kind: 'reject', code: 451, dsn: '4.3.0', text: `<${subject.datum}>: Temporary lookup failure` };
          case 'refused': {
            const match = /^(\d\.\d+\.\d+)\s+([^]*)$/.exec(existence.text);
            const dsn = match?.[1] ?? (existence.isTemporary ? '4.1.1' : '5.1.1');
            return {
              kind: 'reject',
              code: dsn.startsWith('4') ? 450 : 550,
              dsn,
              text: refused(match?.[2] ?? existence.text),
            };
          }
          case 'unknown': {
            const dsn = `${Math.floor(existence.code / 100)}.1.${kind === 'sender' ? 0 : 1}`;
            return { kind: 'reject', code: existence.code, dsn, text: refused(`User unknown${existence.suffix}`) };
          }
        }
      });
    };
  };
}

export const unlistedChecks: Readonly<Record<string, Constructor>> = {
  reject_unlisted_sender: unlisted('sender'),
  reject_unlisted_recipient: unlisted('recipient'),
};
