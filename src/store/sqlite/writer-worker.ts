/** The thread of the writer before it knows where the queue is. */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { thrownText } from '#native';
import { StoreError } from '../queue-store.ts';

/** A thread that has its code and waits for `open`. */
export type WriterThread = Worker;

/**
 * Starts the thread and waits for it to load its code. A process that is root does so before it becomes another user:
 * what the engine keeps of compiled code is root's to read.
 */
export function loadWriterThread(): Promise<WriterThread> {
  // beside this file, as a source and as scripts/compile.sh puts it
  const worker = new Worker(new URL(`./writer-thread${extname(import.meta.filename)}`, import.meta.url));
  return new Promise((resolve, reject) => {
    worker.once('message', () => resolve(worker));
    worker.once('error', (error) => reject(new StoreError(thrownText(error))));
  });
}
