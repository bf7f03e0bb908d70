/** asctime(3): `Sun Nov 22 23:17:29 2026`, local time. `at`: ms since the epoch. */
export function asciiTime(at: number): string {
  const [day = '', month = '', date = '', year = '', clock = ''] = new Date(at).toString().split(' ');
  return `${day} ${month} ${String(Number(date)).padStart(2)} ${clock} ${year}`;
}
