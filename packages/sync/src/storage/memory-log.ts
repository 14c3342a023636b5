import { StoreError } from "@knib/core";
import type { LogBackend, LogBatch, LogEntry, OpenLog } from "./log-backend.ts";
import { storeError } from "./store-errors.ts";

/** A log in memory that outlives its closing, for tests. */
export interface MemoryLogs {
	readonly open: OpenLog;
	/** Lets every later write reject with the error and change nothing; undefined mends it. */
	failWrites(error: Error | undefined): void;
}

type Disk = {
	readonly epoch: string;
	readonly entries: Map<string, { readonly seq: number; readonly json: string }>;
	lastSeq: number;
	locked: boolean;
	failure: Error | undefined;
};

const commit = (disk: Disk, { puts, purges }: LogBatch): number => {
	const first = disk.lastSeq + 1;
	const written = puts.map(({ key, value }) => ({ key, json: JSON.stringify(value) }));
	for (const { key, json } of written) disk.entries.set(key, { seq: ++disk.lastSeq, json });
	for (const key of purges) disk.entries.delete(key);
	return first;
};

const entriesOf = (disk: Disk): LogEntry[] =>
	[...disk.entries]
		.map(([key, { seq, json }]) => ({ key, seq, value: JSON.parse(json) as unknown }))
		.sort((a, b) => a.seq - b.seq);

const openOn = (disk: Disk): LogBackend => {
	let open = true;
	let untaken = entriesOf(disk);
	const ensureOpen = (): void => {
		if (!open) throw new StoreError("STORE_FAILED", "the log is closed");
	};
	return {
		epoch: disk.epoch,
		get lastSeq() {
			return disk.lastSeq;
		},
		take: (prefix) => {
			const taken = untaken.filter(({ key }) => key.startsWith(prefix));
			untaken = untaken.filter(({ key }) => !key.startsWith(prefix));
			return taken;
		},
		write: async (batch) => {
			ensureOpen();
			if (disk.failure !== undefined) throw storeError("the log was not written", disk.failure);
			return commit(disk, batch);
		},
		close: async () => {
			if (open) disk.locked = false;
			open = false;
		},
	};
};

/** An empty log in memory, named by `epoch`. */
export const createMemoryLogs = (epoch: string): MemoryLogs => {
	const disk: Disk = {
		epoch,
		entries: new Map(),
		lastSeq: 0,
		locked: false,
		failure: undefined,
	};
	return {
		open: async () => {
			if (disk.locked) throw new StoreError("STORE_LOCKED", "the log is open already");
			disk.locked = true;
			return openOn(disk);
		},
		failWrites: (error) => {
			disk.failure = error;
		},
	};
};
