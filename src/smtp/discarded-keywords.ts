/** smtp_discard_ehlo_keywords, smtpd_discard_ehlo_keywords: how the log names what is discarded. */

/** In the order in which the log lists them. */
const order = [
  '8bitmime',
  'auth',
  'etrn',
  'pipelining',
  'size',
  'verp',
  'vrfy',
  'xclient',
  'xforward',
  'starttls',
  'enhancedstatuscodes',
  'dsn',
  'smtputf8',
  'chunking',
  'requiretls',
];

/** Lower case in, upper case out; none with `silent-discard`, nor, as in Postfix, where status codes are among them. */
export function discardedKeywordNames(discarded: ReadonlySet<string>): readonly string[] {
  if (discarded.has('silent-discard') || discarded.has('enhancedstatuscodes')) return [];
  return order.filter((name) => discarded.has(name)).map((name) => name.toUpperCase());
}
