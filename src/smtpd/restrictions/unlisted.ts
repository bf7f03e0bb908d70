/** Whether an address exists, per address class. smtpd_reject_unlisted_recipient, ADDRESS_CLASS_README */
import { splitAddress } from '#address';
import { type MaybePromise, whenReady } from '#message';
import type { TableList } from '#tables';
import type { Resolution } from '#rewrite';
import { addressFinder } from './address-lookup.ts';
import {
  configurationError,
  type Constructor,
  type Decision,
  dunno,
  lookupFailure,
  type Toolbox,
} from './restriction.ts';
import { oldDefaultNote } from './old-defaults.ts';
import { codeFor } from './subjects.ts';

type Existence =
  | { readonly kind: 'exists' }
  | { readonly kind: 'unknown'; readonly code: number; readonly suffix: string }
  | { readonly kind: 'refused'; readonly text: string; readonly code: number }
  | { readonly kind: 'failed'; readonly isMistake?: boolean };

const exists: Existence = { kind: 'exists' };

interface ClassRule {
  readonly maps: TableList;
  readonly code: number;
  readonly suffix: string;
}

/** A test for recipients or senders with the tables of one service. */
function existenceTest(
  toolbox: Toolbox,
  kind: 'sender' | 'recipient',
): (resolution: Resolution & { readonly kind: 'resolved' }) => MaybePromise<Existence> {
  const { settings, tables } = toolbox;
  const list = (name: string): TableList => tables.listOf(name);
  const showsTable = settings.bool('show_user_unknown_table_name');
  const rule = (maps: string, code: string, suffix: string): ClassRule => ({
    maps: list(maps),
    code: settings.int(code),
    suffix: showsTable ? suffix : '',
  });
  const rules: ReadonlyMap<string, ClassRule> = new Map(
    Object.entries({
      local: rule('local_recipient_maps', 'unknown_local_recipient_reject_code', ' in local recipient table'),
      virtualMailbox: rule('virtual_mailbox_maps', 'unknown_virtual_mailbox_reject_code', ' in virtual mailbox table'),
      relay: rule('relay_recipient_maps', 'unknown_relay_recipient_reject_code', ' in relay recipient table'),
    }),
  );
  const aliasCode = settings.int('unknown_virtual_alias_reject_code');
  const first = (
    kind === 'recipient'
      ? ['recipient_canonical_maps', 'canonical_maps', 'virtual_alias_maps']
      : ['recipient_canonical_maps', 'sender_canonical_maps', 'canonical_maps', 'virtual_alias_maps']
  ).map(list);
  const find = addressFinder(toolbox);
  const isAlwaysValid = (localPart: string): boolean =>
    ['postmaster', 'mailer-daemon', settings.string('double_bounce_sender').toLowerCase()].includes(
      localPart.toLowerCase(),
    );

  const byClass = (name: string, recipient: string): MaybePromise<Existence> => {
    const found = rules.get(name);
    if (found === undefined || found.maps.isEmpty) return exists;
    if (name === 'local' && isAlwaysValid(splitAddress(recipient).localPart)) return exists;
    return whenReady(find(found.maps, recipient), (result): Existence => {
      if (result.kind === 'failed') return result;
      return result.kind === 'found' ? exists : { kind: 'unknown', code: found.code, suffix: found.suffix };
    });
  };

  return (resolution) => {
    const { recipient, addressClass, transport, nexthop } = resolution;
    const step = (at: number): MaybePromise<Existence> => {
      const maps = first[at];
      if (maps !== undefined) {
        return whenReady(find(maps, recipient), (result): MaybePromise<Existence> =>
          result.kind === 'found' ? exists : result.kind === 'failed' ? result : step(at + 1),
        );
      }
      // an alias domain has nothing but its aliases: what is said of the others is their route, by relocated_maps too
      if (addressClass === 'virtualAlias') return { kind: 'refused', text: nexthop, code: aliasCode };
      if (transport === 'error') return { kind: 'refused', text: nexthop, code: 550 };
      if (transport === 'retry') return { kind: 'refused', text: nexthop, code: 450 };
      return byClass(addressClass, recipient);
    };
    return step(0);
  };
}

function unlisted(kind: 'sender' | 'recipient'): Constructor {
  return (toolbox) => {
    if (toolbox.settings.list('receive_override_options').includes('no_unknown_recipient_checks')) return () => dunno;
    const { oldDefaults } = toolbox;
    const test = existenceTest(toolbox, kind);
    const detail = kind === 'sender' ? '1.0' : '1.1';
    return (evaluation) => {
      const { facts, subject, route, note } = evaluation;
      const [address, other] = kind === 'sender' ? [facts.sender, facts.recipient] : [facts.recipient, facts.sender];
      if (address === undefined || address === '') return dunno;
      const refused = (code: number, dsn: string, text: string): Decision => ({
        kind: 'reject',
        code,
        dsn,
        text: `<${subject.datum}>: ${subject.replyClass} rejected: ${text}`,
      });
      const judge = (existence: Existence): Decision => {
        switch (existence.kind) {
          case 'exists':
            return dunno;
          case 'failed':
            return existence.isMistake === true ? configurationError : lookupFailure(subject.datum);
          case 'refused': {
            const [, dsn = `5.${detail}`, text = ''] =
              /^(?:([245]\.\d+\.\d+)(?:\s+|$))?([^]*)$/.exec(existence.text) ?? [];
            return refused(existence.code, codeFor(dsn, subject, note), text);
          }
          case 'unknown':
            return refused(existence.code, `5.${detail}`, `User unknown${existence.suffix}`);
        }
      };
      return whenReady(route(address, other), (resolution): MaybePromise<Decision> => {
        if (resolution.kind === 'failed') return lookupFailure(address);
        if (resolution.kind === 'invalid') return dunno;
        return whenReady(test(resolution), (existence) => {
          if (existence.kind === 'exists' && resolution.addressClass === 'relay' && oldDefaults.relaysOwnDomains)
            note(oldDefaultNote('relay_domains=$mydestination', `accept mail for address "${address}"`));
          return judge(existence);
        });
      });
    };
  };
}

export const unlistedChecks: Readonly<Record<string, Constructor>> = {
  reject_unlisted_sender: unlisted('sender'),
  reject_unlisted_recipient: unlisted('recipient'),
};
