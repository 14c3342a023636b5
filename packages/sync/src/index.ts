// The public surface of the sync package, by hand: what is not listed here is private to it.
export type { LogBackend, LogBatch, LogEntry, LogPut, OpenLog } from "./storage/log-backend.ts";
export { createMemoryStore } from "./storage/memory-store.ts";
export { openRxStore, type RxStore, type RxStoreOptions } from "./storage/rx-store.ts";
