/** reject_sender_login_mismatch and its kin. Without login there is nothing to compare; Postfix says so each time. postconf(5) */
import { type Constructor, dunno } from './restriction.ts';

function ignored(...names: readonly string[]): Constructor {
  return () =>
    ({ warn }) => {
      for (const name of names) warn(`restriction \`${name}' ignored: no SASL support`);
      return dunno;
    };
}

export const senderLogin: Readonly<Record<string, Constructor>> = {
  reject_sender_login_mismatch: ignored(
    'reject_authenticated_sender_login_mismatch',
    'reject_unauthenticated_sender_login_mismatch',
  ),
  reject_authenticated_sender_login_mismatch: ignored('reject_authenticated_sender_login_mismatch'),
  reject_unauthenticated_sender_login_mismatch: ignored('reject_unauthenticated_sender_login_mismatch'),
  reject_known_sender_login_mismatch: ignored('reject_known_sender_login_mismatch'),
};
