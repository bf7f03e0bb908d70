/** The queue of a rehearsal: cleanup does its work, and nothing is kept but the envelope. */
import type { createCleanup } from '#cleanup';
import { internalEnvelope, type Submission, type SubmissionPort } from '#message';
import type { NewMessage } from '#store';
import type { RehearsalOnlooker } from './rehearsal.ts';

/** A queue that keeps nothing but the envelope of the last message. */
export function nowhere(written: NewMessage[]): Parameters<typeof createCleanup>[0]['store'] {
  return {
    begin: () => ({
      queueId: 'EXPLAIN',
      write: () => undefined,
      addRecipients: () => undefined,
      forgetRecipients: () => undefined,
      commit(message) {
        written.push(message);
        return Promise.resolve();
      },
      abort: () => undefined,
    }),
  };
}

/** Tells what is done with the message. */
export function observed(port: SubmissionPort, written: NewMessage[], onlooker: RehearsalOnlooker): SubmissionPort {
  return {
    open(options): Submission {
      const inner = port.open(options);
      return {
        queueId: inner.queueId,
        addRecipient: (recipient) => inner.addRecipient(recipient),
        apply(action) {
          onlooker.action(action);
          inner.apply(action);
        },
        write: (chunk) => inner.write(chunk),
        async end() {
          written.length = 0;
          const result = await inner.end();
          if (result.kind === 'refused') return result;
          // what the checks of the content asked for shows only in the message
          const [message] = written;
          if (message === undefined) onlooker.action({ kind: 'discard' });
          else {
            if (message.queue === 'hold') onlooker.action({ kind: 'hold' });
            const { contentFilter: destination } = message.envelope;
            if (destination !== options.envelope.contentFilter) onlooker.action({ kind: 'filter', destination });
          }
          return result;
        },
        abort: () => inner.abort(),
      };
    },
  };
}

export function emptyEnvelope(
  sender: string,
  contentFilter: string,
): Parameters<SubmissionPort['open']>[0]['envelope'] {
  return { ...internalEnvelope(sender, Date.now(), 'mail'), rewriteContext: 'remote', contentFilter };
}
