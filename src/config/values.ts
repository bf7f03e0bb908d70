/** Typed readings of a value: yes/no, integers, times. postconf(5) */

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };

/** yes or no in any case; undefined for anything else. */
export function parseBool(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return word === 'yes' ? true : word === 'no' ? false : undefined;
}

/** A decimal integer; undefined for anything else. */
export function parseInteger(text: string): number | undefined {
  return /^[+-]?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}

/** Postfix keeps times in 32 bits. */
const longestSeconds = 0x7fffffff;

/** Seconds of a time value such as `5d`; without a letter the default unit counts. Undefined for what is none, or too long. */
export function parseTime(text: string, defaultUnit: string): number | undefined {
  const match = /^\+?(\d+)([smhdw]?)$/i.exec(text);
  if (match === null) return undefined;
  const unit = unitSeconds[(match[2] === undefined || match[2] === '' ? defaultUnit : match[2]).toLowerCase()];
  const seconds = Number(match[1]) * (unit ?? Number.NaN);
  return seconds <= longestSeconds ? seconds : undefined;
}
