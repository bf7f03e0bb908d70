/** Variable envelope return paths: the recipient stands in the sender's address. VERP_README */
import { splitAddress } from '#address';

/** `list@here`, `user@there`, `+=` → `list+user=there@here` */
export function verpSender(delimiters: string, sender: string, recipient: string): string {
  const { localPart, domain } = splitAddress(sender);
  const to = splitAddress(recipient);
  const [first, second] = [delimiters.charAt(0), delimiters.charAt(1)];
  const at = domain === '' ? '' : `@${domain}`;
  return `${localPart}${first}${to.localPart}${to.domain === '' ? '' : second + to.domain}${at}`;
}
