/** The thread of the writer: batches come in, results go out. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Operation, WriterReport } from './operations.ts';
import { reasonOf, Writer } from './writer.ts';

function partBuffers(batch: readonly Operation[]): ArrayBuffer[] {
  return batch.flatMap((operation) =>
    operation.kind === 'part' && operation.data.buffer instanceof ArrayBuffer ? [operation.data.buffer] : [],
  );
}

const port = parentPort;
if (port !== null) {
  const report = (message: WriterReport): void => port.postMessage(message);
  const data: unknown = workerData;
  try {
    const writer = new Writer(String(data), report);
    port.on('message', (batch: readonly Operation[] | 'close') => {
      if (batch === 'close') {
        writer.close();
        port.close();
      } else {
        const results = writer.runBatch(batch);
        const returned = partBuffers(batch);
        port.postMessage({ kind: 'results', results, returned } satisfies WriterReport, returned);
      }
    });
    report({ kind: 'ready' });
    setImmediate(() => writer.prepare());
  } catch (error) {
    report({ kind: 'failed', reason: reasonOf(error) });
  }
}
