// The durable log below the store: a map from keys to JSON values, each with the sequence number of its last write. The log is
// written before anything is acknowledged, and read whole and checked when it opens; it answers no queries. It is a port of its
// own since PouchDB means to drop LevelDB: another engine is one more file like pouch-log.ts, under the same contract suite.

/** A value to write. Keys are ASCII, begin with a letter and have at most 1024 characters; values are JSON. */
export type LogPut = { readonly key: string; readonly value: object };

/** A value as read back, with the sequence number of the write that put it there. */
export type LogEntry = { readonly key: string; readonly seq: number; readonly value: unknown };

/** What one write does: all of it or, over a crash too, nothing. No key stands in it twice. */
export type LogBatch = {
	readonly puts: readonly LogPut[];
	/** Keys to forget for good; unknown ones are ignored. */
	readonly purges: readonly string[];
};

/** An open log. It has one user at a time: the next call is made when the last one has ended. After a rejection of `write` it is unknown whether the batch is there; close it and open it again. */
export interface LogBackend {
	/** Names this history of sequence numbers; a log that was made anew has another one. */
	readonly epoch: string;
	/** No sequence number above this one was ever given out. Never falls, also not over purges and reopening. */
	readonly lastSeq: number;
	/** The entries found when the log was opened whose key begins with the prefix, oldest write first. Each is handed over once: the log keeps no copy. */
	take(prefix: string): readonly LogEntry[];
	/** Writes a batch and resolves once it would survive a power cut. Returns the sequence number of the first put; each further one has the next. */
	write(batch: LogBatch): Promise<number>;
	/** Gives the log free; repeatable. */
	close(): Promise<void>;
}

/** Opens a log and reads it. Rejects with STORE_LOCKED while it is open elsewhere, STORE_FORMAT when another version wrote it, STORE_FULL, or STORE_FAILED, also when anything in it is missing or damaged. */
export type OpenLog = () => Promise<LogBackend>;
