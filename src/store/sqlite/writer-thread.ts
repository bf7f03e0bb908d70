/** The thread of the writer: it is told where the queue is, then batches come in and results go out. */
import { flushCompileCache } from 'node:module';
import { parentPort } from 'node:worker_threads';
import { returnMemoryWhenQuiet, thrownText } from '#native';
import type { Operation, WriterOrder, WriterReport } from './operations.ts';
import { Writer } from './writer.ts';

function partBuffers(batch: readonly Operation[]): ArrayBuffer[] {
  return batch.flatMap((operation) =>
    operation.kind === 'part' && operation.data.buffer instanceof ArrayBuffer ? [operation.data.buffer] : [],
  );
}

const port = parentPort;
if (port !== null) {
  const report = (message: WriterReport): void => port.postMessage(message);
  let writer: Writer | undefined;

  const open = (path: string): void => {
    try {
      writer = new Writer(path, report);
      report({ kind: 'ready' });
      setImmediate(() => writer?.prepare());
    } catch (error) {
      report({ kind: 'failed', reason: thrownText(error) });
      port.close();
    }
  };
  const runBatch = (batch: readonly Operation[]): void => {
    const results = writer?.runBatch(batch) ?? [];
    const returned = partBuffers(batch);
    port.postMessage({ kind: 'results', results, returned } satisfies WriterReport, returned);
  };
  port.on('message', (order: WriterOrder) => {
    switch (order.kind) {
      case 'open':
        return open(order.path);
      case 'batch':
        return runBatch(order.operations);
      case 'close':
        writer?.close();
        port.close();
    }
  });
  returnMemoryWhenQuiet();
  // while this may be root, who alone can write what the engine keeps of its code
  flushCompileCache();
  report({ kind: 'loaded' });
}
