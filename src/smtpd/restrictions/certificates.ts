/** Restrictions about the client's certificate. TLS_README; postconf(5) permit_tls_clientcerts, check_ccert_access */
import { compareLevels, type Settings, splitListWithIndex } from '#config';
import { type PeerCertificate, whenReady } from '#message';
import { hasListedCertificate, hasTrustedCertificate } from '../known-certificates.ts';
import { consultEach } from './access.ts';
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
    const list = tables.list(settings.elements('relay_clientcerts'));
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

/** `type:name`, or `{ type:name, search_order = … }`; a text says what is wrong. */
export function readCertificateSearch(argument: string): CertificateSearch | string {
  if (!argument.startsWith('{')) return { table: argument, order: standardOrder };
  const inner = argument.slice(1, -1).trim();
  const [first] = splitListWithIndex(inner);
  if (first === undefined) return `malformed map specification: '${argument}'`;
  const rest = inner.slice(first.at + first.text.length).replace(/^[\s,{]+|[\s}]+$/g, '');
  if (rest === '') return { table: first.text, order: standardOrder };
  const [, name = '', value = ''] = /^(\w+)\s*=\s*(.*)$/s.exec(rest) ?? [];
  if (name !== 'search_order') return `unknown attribute in map specification: '${argument}'`;
  const order = value.split(/[\s,]+/).filter((word) => word !== '');
  const unknown = order.find((word) => searchKeys[word.toLowerCase()] === undefined);
  if (order.length === 0 || unknown !== undefined)
    return `'search_order' with unknown attribute in map specification: '${argument}'`;
  return { table: first.text, order: order.map((word) => word.toLowerCase()) };
}

const checkAccess: Constructor = (toolbox, argument, program) => {
  const search = readCertificateSearch(argument);
  if (typeof search === 'string') {
    return ({ warn }) => {
      warn(search);
      return configurationError;
    };
  }
  const { settings } = toolbox;
  const table = toolbox.tables.open(search.table);
  const isOldDigest = usesOldDigest(settings);
  return (evaluation) => {
    const peer = evaluation.facts.tls?.peer;
    if (peer === undefined) return warnUnasked('check_ccert_access', settings, evaluation);
    if (isOldDigest) evaluation.note(oldDigestNote);
    const keys = search.order.flatMap((name) => searchKeys[name]?.(peer) ?? []);
    const things = keys.map((key) => ({ datum: key, keys: [key] }));
    return consultEach(things, evaluation, { table, toolbox, source: { program } });
  };
};

export const certificates: Readonly<Record<string, Constructor>> = {
  permit_tls_clientcerts: permitListed('permit_tls_clientcerts', false),
  permit_tls_all_clientcerts: permitListed('permit_tls_all_clientcerts', true),
  check_ccert_access: checkAccess,
};
