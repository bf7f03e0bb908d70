import { thrownText } from '#native';

/** What OpenSSL says of an error, as it says it to programs in C: without the name of its function. */
export function libraryText(error: unknown): string {
  const message = thrownText(error);
  const [, number, library, reason, place] =
    /(error:[0-9A-F]+):([^:]*):[^:]*:([^:]*):?(?:[./]*(?:deps\/openssl\/openssl\/)?([^:]*:\d+:))?/.exec(message) ?? [];
  if (number === undefined) return message.trim();
  return `${number}:${library}::${reason}${place === undefined ? '' : `:../${place}`}`;
}
