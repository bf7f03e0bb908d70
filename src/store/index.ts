/** The queue store: interface, states and leases. Implementations stand in folders of their own. */
export {
  type ListedMessage,
  type MessageSelector,
  type MessageWriter,
  type NewMessage,
  type QueuedMessage,
  type QueueStore,
  type Settlement,
  StoreError,
  StoreFullError,
} from './queue-store.ts';
export {
  FewRecipients,
  listedPart,
  type RecipientList,
  type RecipientPart,
  type StoredRecipient,
} from './recipient-list.ts';
export { storeFileNames } from './sqlite/schema.ts';
export { openStore, type StoreOptions } from './sqlite/sqlite-store.ts';
export { loadWriterThread, type WriterThread } from './sqlite/writer-worker.ts';
export { serialOf } from './queue-id.ts';
export { wasTried } from './was-tried.ts';
