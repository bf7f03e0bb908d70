/** Events of smtpd. */
import type { Renderings } from '../event.ts';

export type SmtpdEvent = { readonly kind: 'smtpdPlaceholder' };

export const smtpdRenderings: Renderings<SmtpdEvent> = { smtpdPlaceholder: () => '' };
