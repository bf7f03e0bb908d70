/** Dates as mail has them: `Thu, 1 Jan 2026 00:00:00 +0000 (UTC)`. RFC 5322, 3.3 */

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** The last second that was asked for, and its text: a busy server asks some thousand times in each. */
const memo = { second: Number.NaN, text: '' };

/** `at`: ms since the epoch; local time with its zone, and the zone's name in a comment as Postfix writes it. */
export function formatMailDate(at: number): string {
  const second = Math.floor(at / 1000);
  if (memo.second !== second) {
    memo.text = mailDate(second * 1000);
    memo.second = second;
  }
  return memo.text;
}

function mailDate(at: number): string {
  const date = new Date(at);
  const two = (n: number): string => String(n).padStart(2, '0');
  const offset = -date.getTimezoneOffset();
  const zone = `${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`;
  const name = /\(([^)]+)\)/.exec(date.toString())?.[1] ?? '';
  const short = /^[A-Z0-9+-]+$/.test(name) ? name : name.replaceAll(/[^A-Z]/g, '');
  const label = offset === 0 ? 'UTC' : short;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${days[date.getDay()] ?? ''}, ${date.getDate()} ${months[date.getMonth()] ?? ''} ${date.getFullYear()} ${time} ${zone} (${label})`;
}
