/** Restrictions about the client's certificate. TLS_README; postconf(5) permit_tls_clientcerts, check_ccert_access */
import { compareLevels, type Settings, splitList } from '#config';
import { type MaybePromise, type PeerCertificate, whenReady } from '#message';
import { hasListedCertificate, hasTrustedCertificate } from '../known-certificates.ts';
import { type AccessTable, consult } from './access.ts';
import { oldDefaultNote } from './old-defaults.ts';
import {
  configurationError,
  type Constructor,
  type Decision,
  dunno,
  type Evaluation,
  lookupFailure,
  permit,
} from './restriction.ts';

/** What is said of a restriction that can't apply, since nobody is asked for a certificate. */
function warnUnasked(name: string, settings: Settings, { warn }: Evaluation): Decision {
  if (!settings.bool('smtpd_tls_ask_ccert')) warn(`${name} is requested, but "smtpd_tls_ask_ccert = no"`);
  return dunno;
}

/** An old compatibility_level chooses a digest that is not safe any more. */
function usesOldDigest(settings: Settings): boolean {
  const isOld = (compareLevels(settings.string('compatibility_level'), '3.6') ?? 0) < 0;
  return isOld && !settings.isSet('smtpd_tls_fingerprint_digest');
}

const oldDigestNote = oldDefaultNote('smtpd_tls_fingerprint_digest=md5', 'compute certificate fingerprints');

function permitListed(name: string, acceptsTrusted: boolean): Constructor {
  return ({ settings, tables }) => {
    const list = tables.listOf('relay_clientcerts');
    const isOldDigest = usesOldDigest(settings);
    return (evaluation) => {
      const { facts, subject, warn, note } = evaluation;
      const { tls } = facts;
      if (tls === undefined) return dunno;
      if (acceptsTrusted && hasTrustedCertificate(tls)) return permit;
      const { peer } = tls;
      if (peer === undefined) return warnUnasked(name, settings, evaluation);
      if (isOldDigest) note(oldDigestNote);
      return whenReady(hasListedCertificate(list, peer), (known): Decision => {
        if (known !== 'failed') return known === 'yes' ? permit : dunno;
        warn(
          `relay_clientcerts: lookup error for fingerprint '${peer.fingerprint}', pkey fingerprint ${peer.keyFingerprint}`,
        );
        return lookupFailure(subject.datum);
      });
    };
  };
}

const searchKeys: Readonly<Record<string, (peer: PeerCertificate) => string>> = {
  cert_fingerprint: (peer) => peer.fingerprint,
  pubkey_fingerprint: (peer) => peer.keyFingerprint,
};

interface CertificateSearch {
  readonly table: string;
  readonly order: readonly string[];
}

const standardOrder = ['cert_fingerprint', 'pubkey_fingerprint'];

/** `type:name`, or `{ type:name, { search_order = … } }`; a text says what is wrong. */
export function readCertificateSearch(argument: string): CertificateSearch | string {
  if (!argument.startsWith('{')) return { table: argument, order: standardOrder };
  const [table, ...attributes] = splitList(argument.slice(1, -1).trim());
  if (table === undefined) return `malformed map specification: '${argument}'`;
  let order: readonly string[] = standardOrder;
  for (const attribute of attributes) {
    const text = attribute.startsWith('{') ? attribute.slice(1, -1) : attribute;
    const [, name, value = ''] = /^\s*(\w+)\s*=(.*)$/s.exec(text) ?? [];
    if (name === undefined) {
      return `malformed map attribute in '${argument}': 'missing '=' after attribute name'`;
    }
    if (name !== 'search_order') return `unknown map attribute in '${argument}': '${name}'`;
    order = splitList(value).map((word) => word.toLowerCase());
    const unknown = order.find((word) => !Object.hasOwn(searchKeys, word));
    if (unknown !== undefined) return `unknown search type '${unknown}' in '${argument}'`;
  }
  return { table, order };
}

/** A restriction without a table that could be asked; what is wrong with it was said when it was read. */
function unreadable(argument: string): ReturnType<Constructor> {
  return ({ warn }) => {
    warn(`See earlier parsing error messages for '${argument}`);
    return configurationError;
  };
}

const checkAccess: Constructor = (toolbox, argument, program) => {
  const search = readCertificateSearch(argument);
  if (typeof search === 'string') {
    toolbox.events.emit({ kind: 'warning', text: search });
    return unreadable(argument);
  }
  const { settings } = toolbox;
  const access: AccessTable = { table: toolbox.tables.open(search.table), toolbox, source: { program } };
  const isOldDigest = usesOldDigest(settings);
  return (evaluation) => {
    const peer = evaluation.facts.tls?.peer;
    if (peer === undefined) return warnUnasked('check_ccert_access', settings, evaluation);
    const keys = search.order.flatMap((name) => searchKeys[name]?.(peer) ?? []);
    const tryFrom = (at: number): MaybePromise<Decision> => {
      const key = keys[at];
      if (key === undefined) return dunno;
      if (isOldDigest) evaluation.note(oldDigestNote);
      return whenReady(
        consult({ datum: key, keys: [key] }, evaluation, access),
        (decision): MaybePromise<Decision> => decision ?? tryFrom(at + 1),
      );
    };
    return tryFrom(0);
  };
};

export const certificates: Readonly<Record<string, Constructor>> = {
  permit_tls_clientcerts: permitListed('permit_tls_clientcerts', false),
  permit_tls_all_clientcerts: permitListed('permit_tls_all_clientcerts', true),
  check_ccert_access: checkAccess,
};
