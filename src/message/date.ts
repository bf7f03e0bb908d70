/** Dates as mail has them: `Thu, 01 Jan 2026 00:00:00 +0000 (UTC)`. RFC 5322, 3.3 */

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The last second that was asked for, and its text: a busy server asks some thousand times in each. */
const memo = { second: Number.NaN, text: '' };

/** Asking costs more than a date: by the distance from UTC, which tells summer from winter. */
const zoneNames = new Map<number, string>();

/** `at`: ms since the epoch; local time with its zone, and the zone's name in a comment as Postfix writes it. */
export function formatMailDate(at: number): string {
  const second = Math.floor(at / 1000);
  if (memo.second !== second) {
    memo.text = mailDate(second * 1000);
    memo.second = second;
  }
  return memo.text;
}

/** `CET`, as the zone files have it. No language knows all of them; where none does, the long name gives its capitals. */
function zoneName(date: Date): string {
  const offset = date.getTimezoneOffset();
  const known = zoneNames.get(offset);
  if (known !== undefined) return known;
  const long = /\(([^)]+)\)/.exec(date.toString())?.[1] ?? '';
  const short = ['en-GB', 'en-US'].map((language) => shortName(date, language)).find((name) => /^[A-Z]+$/.test(name));
  const name = short ?? (/^[A-Z0-9+-]+$/.test(long) ? long : long.replaceAll(/[^A-Z]/g, ''));
  zoneNames.set(offset, name);
  return name;
}

function shortName(date: Date, language: string): string {
  const parts = new Intl.DateTimeFormat(language, { timeZoneName: 'short' }).formatToParts(date);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
}

function mailDate(at: number): string {
  const date = new Date(at);
  const two = (n: number): string => String(n).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${days[date.getDay()] ?? ''}, ${two(date.getDate())} ${months[date.getMonth()] ?? ''} ${date.getFullYear()} ${time} ${zone} (${zoneName(date)})`;
}
