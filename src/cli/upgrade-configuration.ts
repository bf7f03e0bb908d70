/**
 * `postfix upgrade-configuration`: brings the master.cf of an older Postfix up to date, as its post-install does. What stands
 * there stays, but for entries that no longer work as they are.
 */

/** A service that came with a later version; `line` goes to the end of the file where nothing fits `present`. */
interface Addition {
  readonly present: RegExp;
  readonly what: string;
  readonly line: string;
}

/** Lines that fit `outdated` are changed. */
interface Correction {
  readonly outdated: RegExp;
  readonly what: string;
  readonly replacement: string;
}

type Step = Addition | Correction;

/** In the order in which the versions brought them. */
const steps: readonly Step[] = [
  added(/^relay/m, 'relay service', 'relay unix - - n - - smtp'),
  added(/^flush.*flush/m, 'flush service', 'flush unix n - n 1000? 0 flush'),
  added(/trace.*bounce/, 'trace service', 'trace unix - - n - 0 bounce'),
  added(/^verify.*verify/m, 'verify service', 'verify unix - - n - 1 verify'),
  {
    outdated: /^(verify.*[ \t])0([ \t]+verify)/gm,
    what: 'setting verify process limit to 1',
    replacement: '$11$2',
  },
  {
    outdated: /^(pickup[ \t]*fifo[ \t]*n[ \t]*)n/gm,
    what: 'making the pickup service unprivileged',
    replacement: '$1-',
  },
  ...['cleanup', 'flush'].map((name) => ({
    outdated: new RegExp(`^(${name}[ \\t]*unix[ \\t]*)[-y]`, 'gm'),
    what: `making the ${name} service public`,
    replacement: '$1n',
  })),
  added(/^proxymap.*proxymap/m, 'proxymap service', 'proxymap unix - - n - - proxymap'),
  added(/^anvil.*anvil/m, 'anvil service', 'anvil unix - - n - 1 anvil'),
  added(/^scache.*scache/m, 'scache service', 'scache unix - - n - 1 scache'),
  added(/^discard.*discard/m, 'discard service', 'discard unix - - n - - discard'),
  {
    outdated: /^(tlsmgr[ \t]*)fifo([ \t].*[ \t]\d+)([ \t]+\S+[ \t]+tlsmgr)/gm,
    what: 'updating the tlsmgr from fifo to unix service',
    replacement: '$1unix$2?$3',
  },
  added(/^tlsmgr.*tlsmgr/m, 'tlsmgr service', 'tlsmgr unix - - n 1000? 1 tlsmgr'),
  added(/^retry.*error/m, 'retry service', 'retry unix - - n - - error'),
  added(/^proxywrite.*proxymap/m, 'proxywrite service', 'proxywrite unix - - n - 1 proxymap'),
  {
    outdated: /^(proxywrite.*)-([ \t]*proxymap)/gm,
    what: 'setting proxywrite process limit to 1',
    replacement: '$11$2',
  },
  // what is for those who want it comes as a comment
  added(/^#*smtp.*postscreen/m, 'postscreen TCP service', '#smtp inet n - n - 1 postscreen'),
  added(/^#*smtpd.*smtpd/m, 'smtpd unix-domain service', '#smtpd pass - - n - - smtpd'),
  added(/^#*dnsblog.*dnsblog/m, 'dnsblog unix-domain service', '#dnsblog unix - - n - 0 dnsblog'),
  added(/^#*tlsproxy.*tlsproxy/m, 'tlsproxy unix-domain service', '#tlsproxy unix - - n - 0 tlsproxy'),
  added(/^postlog/m, 'postlog unix-domain datagram service', 'postlog unix-dgram n - n - 1 postlogd'),
];

/** `entry`: fields with one blank between them. */
function added(present: RegExp, service: string, entry: string): Addition {
  const [name = '', type = '', ...fields] = entry.split(' ');
  const line = `${name.padEnd(9)} ${type.padEnd(5)} ${fields.map((field) => field.padEnd(7)).join(' ')}`.trimEnd();
  return { present, what: `adding missing entry for ${service}`, line };
}

export interface Upgrade {
  readonly text: string;
  /** What was done, in order. */
  readonly done: readonly string[];
}

/** The text of master.cf as the present version wants it. */
export function upgradeMasterText(text: string): Upgrade {
  const done: string[] = [];
  let upgraded = text === '' || text.endsWith('\n') ? text : `${text}\n`;
  for (const step of steps) {
    const before = upgraded;
    if ('outdated' in step) upgraded = upgraded.replace(step.outdated, step.replacement);
    else if (!step.present.test(upgraded)) upgraded += `${step.line}\n`;
    if (upgraded !== before) done.push(step.what);
  }
  return { text: done.length === 0 ? text : upgraded, done };
}
