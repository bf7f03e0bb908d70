/** What the end of a delivery command means for the message. sysexits.h; local(8), pipe(8) */
import type { Status } from '#message';
import type { CommandEnd } from './command.ts';

export interface CommandOutcome {
  readonly code: string;
  readonly text: string;
  /** For reports, where it is not what the log says. */
  readonly diagnostic?: Status['diagnostic'];
  readonly warnings: readonly string[];
  /** A line to log as `fatal:`, as the process that was to become the command writes it. */
  readonly fatal?: string;
}

const exits: Readonly<Record<number, readonly [code: string, text: string]>> = {
  64: ['5.3.0', 'command line usage error'],
  65: ['5.6.0', 'data format error'],
  66: ['5.3.0', 'cannot open input'],
  67: ['5.1.1', 'user unknown'],
  68: ['5.1.2', 'host name unknown'],
  69: ['5.3.0', 'service unavailable'],
  70: ['5.3.0', 'internal software error'],
  71: ['4.3.0', 'system resource problem'],
  72: ['5.3.0', 'critical OS file missing'],
  73: ['5.2.0', "can't create user output file"],
  74: ['5.3.0', 'input/output error'],
  75: ['4.3.0', 'temporary failure'],
  76: ['5.5.0', 'remote error in protocol'],
  77: ['5.7.0', 'permission denied'],
  78: ['5.3.5', 'local configuration error'],
};

/** `D.D.D text`: a status that the command itself gives. */
function statusIn(output: string): { readonly code: string; readonly text: string } | undefined {
  const match = /^([245]\.\d{1,3}\.\d{1,3})(?:\s+([^]*))?$/.exec(output);
  return match === null ? undefined : { code: match[1] ?? '', text: match[2] ?? '' };
}

const unix = (text: string): Status['diagnostic'] => ({ type: 'x-unix', text });

/** `shown`: the command as messages quote it; `program`: for `PROGRAM: fatal:`. */
export function commandOutcome(end: CommandEnd, shown: string, program: string): CommandOutcome | 'delivered' {
  if (end.timedOut) {
    const text = `Command time limit exceeded: "${shown}"`;
    return {
      code: '5.3.0',
      text,
      diagnostic: unix(end.output || text),
      warnings: ['pipe_command_read: read time limit exceeded'],
    };
  }
  if (end.failure !== '') {
    return {
      code: '4.3.0',
      text: `temporary failure${end.isFailurePrinted ? `. Command output: ${program}: fatal: ${end.failure} ` : ''}`,
      warnings: [],
      fatal: end.failure,
    };
  }
  if (end.status === 0) return 'delivered';
  const behind = end.output === '' ? '' : `. Command output: ${end.output}`;
  if (end.status === undefined) {
    const text = `Command died with signal ${end.signal}: "${shown}"${behind}`;
    return { code: '4.3.0', text, diagnostic: unix(end.output || text), warnings: [] };
  }
  const own = statusIn(end.output);
  if (own?.code.startsWith('2') === true) {
    const warnings = [`bounce_append: ignoring dsn code "${own.code}"`];
    return { code: '5.0.0', text: own.text, diagnostic: unix(own.text), warnings };
  }
  if (own !== undefined) return { ...own, diagnostic: unix(own.text), warnings: [] };
  const [code, text] = exits[end.status] ?? ['5.3.0', `Command died with status ${end.status}: "${shown}"`];
  const detail = end.output || (end.status in exits ? text : `unknown mail system error ${end.status}`);
  return { code, text: `${text}${behind}`, diagnostic: unix(detail), warnings: [] };
}
