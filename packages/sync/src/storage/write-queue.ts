// All writes of a store, in one line. Those that wait while the log is being written go into its next write together: an fsync
// costs the same for one document and for a thousand. What the log holds is applied to the memory engine, then acknowledged.
import type { StoreError } from "@knib/core";
import type { LogBackend, LogBatch } from "./log-backend.ts";
import { storeError } from "./store-errors.ts";

/** A write in line. */
export type QueuedWrite = {
	/** The keys it may touch; "all" when it must be alone. Writes that share a key are never in one batch. */
	readonly keys: readonly string[] | "all";
	/** Says what to write, on the state that all earlier writes have left. What it throws rejects this write alone. */
	readonly prepare: () => PreparedWrite;
};

export type PreparedWrite = LogBatch & {
	/** Makes the write visible; `firstSeq` is the sequence number of its first put. */
	readonly apply: (firstSeq: number) => Promise<void>;
};

type Waiting = QueuedWrite & {
	readonly resolve: () => void;
	readonly reject: (reason: unknown) => void;
};

/** More keys than this are not gathered for one batch, unless one write has them. */
const GATHERED_KEYS = 5000;

const noop = async (): Promise<void> => undefined;
const BARRIER: QueuedWrite = {
	keys: "all",
	prepare: () => ({ puts: [], purges: [], apply: noop }),
};

export class WriteQueue {
	readonly #log: LogBackend;
	readonly #onFatal: (error: StoreError) => void;
	#waiting: Waiting[] = [];
	#running = false;
	#failure: StoreError | undefined;

	constructor(log: LogBackend, onFatal: (error: StoreError) => void) {
		this.#log = log;
		this.#onFatal = onFatal;
	}

	/** Throws the error that ended this queue, if any did: what is in memory and what is in the log may differ since. */
	ensureSound(): void {
		if (this.#failure !== undefined) throw this.#failure;
	}

	/** Resolves once the write is durable and visible. */
	async submit(write: QueuedWrite): Promise<void> {
		this.ensureSound();
		return new Promise((resolve, reject) => {
			this.#waiting.push({ ...write, resolve, reject });
			if (!this.#running) void this.#run();
		});
	}

	/** Resolves once all writes submitted so far have ended, well or not. */
	async idle(): Promise<void> {
		await this.submit(BARRIER).catch(noop);
	}

	async #run(): Promise<void> {
		this.#running = true;
		while (this.#waiting.length > 0) await this.#commit(this.#gather());
		this.#running = false;
	}

	#gather(): readonly Waiting[] {
		const touched = new Set<string>();
		let count = 0;
		for (const { keys } of this.#waiting) {
			if (keys === "all") {
				count = Math.max(count, 1);
				break;
			}
			if (count > 0 && touched.size + keys.length > GATHERED_KEYS) break;
			if (keys.some((key) => touched.has(key))) break;
			for (const key of keys) touched.add(key);
			count += 1;
		}
		return this.#waiting.splice(0, count);
	}

	async #commit(group: readonly Waiting[]): Promise<void> {
		try {
			const prepared = group.flatMap((write) => this.#prepare(write));
			const puts = prepared.flatMap(({ todo }) => todo.puts);
			const purges = prepared.flatMap(({ todo }) => todo.purges);
			const isEmpty = puts.length + purges.length === 0;
			let seq = isEmpty ? 0 : await this.#log.write({ puts, purges });
			for (const { write, todo } of prepared) {
				await todo.apply(seq);
				seq += todo.puts.length;
				write.resolve();
			}
		} catch (thrown) {
			this.#fail(group, storeError("the store failed", thrown));
		}
	}

	#prepare(write: Waiting): readonly { write: Waiting; todo: PreparedWrite }[] {
		try {
			return [{ write, todo: write.prepare() }];
		} catch (thrown) {
			write.reject(thrown);
			return [];
		}
	}

	#fail(group: readonly Waiting[], error: StoreError): void {
		this.#failure = error;
		for (const { reject } of [...group, ...this.#waiting]) reject(error);
		this.#waiting = [];
		this.#onFatal(error);
	}
}
