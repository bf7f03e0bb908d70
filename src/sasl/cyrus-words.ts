/** What Cyrus SASL says of logins that come to nothing, and how it reads what clients say. SASL_README; sasl_errors(3) */
import type { SaslStep, SaslWords } from './login-server.ts';

const prefix = 'SASL authentication failure: ';

/** As the log has them. */
export const asWarnings = (texts: readonly string[]): readonly string[] => texts.map((text) => prefix + text);

interface Refusal {
  readonly reason: string;
  readonly isTemporary?: boolean;
  readonly user?: string;
  readonly warnings?: readonly string[];
}

/** `warnings`: without what all of them begin with. */
export function refused({
  reason,
  isTemporary = false,
  user,
  warnings = [],
}: Refusal): Extract<SaslStep, { kind: 'refused' }> {
  return {
    kind: 'refused',
    reason,
    isTemporary,
    verdict: { user },
    warnings: asWarnings(warnings),
  };
}

export const wrong = 'authentication failure';
export const badProtocol = 'bad protocol / cancel';

/** `offered`: of which the options of the service may leave some out. */
export function wordsOf(offered: readonly string[]): SaslWords {
  return {
    // what the client says with it is read first
    badMechanism: (name, initialResponse = '') => {
      const bytes = fromBase64(initialResponse);
      if (!Buffer.isBuffer(bytes)) return refused({ reason: bytes });
      return offered.includes(name.toUpperCase())
        ? refused({ reason: 'encryption needed to use mechanism' })
        : refused({ reason: 'no mechanism available', warnings: [`Couldn't find mech ${name}`] });
    },
    noneLeft: {
      warnings: ['xsasl_cyrus_server_get_mechanism_list: no applicable SASL mechanisms'],
      fatal: 'no SASL authentication mechanisms',
    },
    badOption: (option, all) => ({
      warnings: [
        `unknown SASL security options value "${option}" in "${all.join(' ')}"`,
        'bad per-session SASL security properties',
      ],
      fatal: 'SASL per-connection initialization failed',
    }),
  };
}

/** As sasl_decode64(3) does it: in groups of four, with a word of its own for what is left over. A text says what is wrong. */
export function fromBase64(text: string): Buffer | string {
  const groups = text.slice(0, text.length - (text.length % 4));
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}(?:==|[A-Za-z0-9+/]=))?$/.test(groups)) return badProtocol;
  return groups.length === text.length ? Buffer.from(groups, 'base64') : 'another step is needed in authentication';
}
