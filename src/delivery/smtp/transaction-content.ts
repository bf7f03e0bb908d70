/** The content of a transaction, dot-stuffed and converted on its way out. RFC 5321, 4.5.2 */
import { RequestDeadline } from '#smtp';
import { pieceBytes, slices } from '../deliverer-content.ts';
import type { Connection } from './connection.ts';
import { ContentEncoder } from './content-encoder.ts';
import { CheckFailure } from './output-checks.ts';
import type { SmtpSettings } from './settings.ts';
import type { TransactionContext } from './transaction-context.ts';

type Written = 'written' | 'lost' | 'timeout' | 'unconverted';

/** Writes the content, dot-stuffed, up to but without the final dot. Writes are held until the dot goes with them. */
export async function writeContent(context: TransactionContext): Promise<Written> {
  const { settings, attempt, connection, converter, delayDot } = context;
  const { content } = attempt.request;
  const encoder = new ContentEncoder({ lineLimit: settings.lineLengthLimit, onBreak: context.onLineBreak });
  const pace = new ContentPace(settings);
  const emit = (piece: Buffer): void => {
    pace.wrote(piece.length);
    connection.write(piece);
  };
  connection.hold();
  try {
    const chunks = converter === undefined ? content.chunks() : converter.convert(content.chunks());
    const isReady = Symbol.iterator in chunks;
    for await (const chunk of isReady ? firstOf(chunks, encoder, emit, connection) : chunks) {
      // who takes little at a time, but takes it, is not given up on
      for (const block of slices(chunk)) {
        encoder.encode(block, emit);
        if (!connection.needsDrain) continue;
        connection.release();
        const state = await pace.wait((timeoutMs) => connection.drained(timeoutMs));
        if (state !== 'drained') return state;
        connection.hold();
      }
    }
  } catch (error) {
    // what the server has is no whole message, so no dot may follow
    connection.destroy();
    if (error instanceof CheckFailure) return refuseContent(context, error.message);
    throw error;
  }
  if (converter?.isTooDeep === true) {
    attempt.messageRefused({ code: '5.6.0', reason: 'MIME nesting exceeds safety limit' });
    connection.destroy();
    return 'unconverted';
  }
  encoder.finish(emit);
  if (delayDot) {
    connection.release();
    await new Promise((done) => setTimeout(done, settings.pixDelayMs));
    connection.hold();
  }
  return connection.isLost ? 'lost' : 'written';
}

/** How long the server may take for a block of content, or with a deadline for all of it. smtp_min_data_rate */
class ContentPace {
  readonly #deadline: RequestDeadline | undefined;
  readonly #blockMs: number;
  #bytes = 0;

  constructor({ perRequestDeadline, minDataRate, timeouts }: SmtpSettings) {
    this.#blockMs = timeouts.dataBlock;
    this.#deadline = perRequestDeadline ? new RequestDeadline({ timeoutMs: this.#blockMs, minDataRate }) : undefined;
  }

  wrote(bytes: number): void {
    this.#bytes += bytes;
  }

  async wait<T>(until: (timeoutMs: number) => Promise<T>): Promise<T> {
    const deadline = this.#deadline;
    if (deadline === undefined) return until(this.#blockMs);
    const beganAt = performance.now();
    const result = await until(Math.max(1, deadline.waitMs));
    deadline.spend(performance.now() - beganAt);
    deadline.earn(this.#bytes);
    this.#bytes = 0;
    return result;
  }
}

/** Takes what is in memory already without waiting, up to where the connection is full; gives the rest. */
function* firstOf(
  chunks: Iterable<Buffer>,
  encoder: ContentEncoder,
  emit: (piece: Buffer) => void,
  connection: Connection,
): Generator<Buffer> {
  for (const chunk of chunks) {
    if (connection.needsDrain || chunk.length > pieceBytes) yield chunk;
    else encoder.encode(chunk, emit);
  }
}

function refuseContent({ attempt, connection, warn }: TransactionContext, what: string): 'unconverted' {
  warn(`${attempt.request.queueId}: ${what}`);
  attempt.messageRefused({ code: '4.3.0', reason: `local data error while talking to ${connection.name}` });
  return 'unconverted';
}
