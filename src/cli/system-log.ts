/** The log of the running system, for an ordinary user who may not write its file. postlogd(8) */
import type { Settings } from '#config';
import { type LogSink, renderPostfixText } from '#events';
import { askSystem } from './control-client.ts';

const marks = { warning: 'warning: ', error: 'error: ', fatal: 'fatal: ' } as const;

function isMarked(kind: string): kind is keyof typeof marks {
  return kind in marks;
}

/** Lines are lost while the system is down, as in Postfix. */
export function systemLogSink(settings: Settings): LogSink {
  const queueDirectory = settings.string('queue_directory');
  return {
    write: (records) => {
      for (const { tag, pid, event } of records) {
        const kind = isMarked(event.kind) ? event.kind : 'note';
        const whole = renderPostfixText(event);
        const text = kind === 'note' ? whole : whole.slice(marks[kind].length);
        askSystem(queueDirectory, 'public', { operation: 'log', line: { tag, pid, kind, text } }).catch(
          () => undefined,
        );
      }
    },
  };
}
