/** Keys and certificates looked at before the first client comes: those that don't fit, and those whose time is not now. */
import { X509Certificate } from 'node:crypto';
import { type Chains, isBroken, type Problems } from './chain.ts';
import { ownMaterial } from './context-options.ts';
import { contentOf, type KeyFiles, keyPairs, type KeyService } from './key-files.ts';

export interface KeyComplaint {
  /** The parameter that names the file. */
  readonly parameter: string;
  readonly text: string;
  /** TLS can't be offered at all; false: it can, but clients that check certificates will go away. */
  readonly endsTls: boolean;
}

/** `now`: ms since the epoch. What can't be read is not complained of. */
export function keyComplaints(service: KeyService, now: number): readonly KeyComplaint[] {
  const { settings, names } = service;
  const paths = [
    ...settings.list(names.chainFiles),
    ...keyPairs(settings, names).flatMap(({ certificate, key }) => [certificate, key]),
  ];
  if (paths.length === 0) return [];
  const contents = new Map(paths.map((path) => [path, contentOf(path)]));
  if ([...contents.values()].some((content) => typeof content === 'string')) return [];
  const files: KeyFiles = { contents, directories: new Map() };
  const set = [names.chainFiles, ...names.keyPairs.map(([certificate]) => certificate)];
  const parameter = set.find((name) => settings.string(name) !== '') ?? names.chainFiles;
  return complaintsOf(ownMaterial(service, files), parameter, now);
}

function complaintsOf(material: Chains | Problems, parameter: string, now: number): readonly KeyComplaint[] {
  if (isBroken(material)) {
    const [text = ''] = material;
    return [{ parameter, text, endsTls: true }];
  }
  return material.cert.flatMap((pem) => {
    const text = outOfTime(new X509Certificate(pem), now);
    return text === undefined ? [] : [{ parameter, text, endsTls: false }];
  });
}

/** undefined: its time is now. */
function outOfTime({ subject, validFrom, validTo }: X509Certificate, now: number): string | undefined {
  const whose = `the certificate of ${subject.replaceAll('\n', ', ')}`;
  if (Date.parse(validTo) < now) return `${whose} expired on ${validTo}`;
  return Date.parse(validFrom) > now ? `${whose} is not valid before ${validFrom}` : undefined;
}
