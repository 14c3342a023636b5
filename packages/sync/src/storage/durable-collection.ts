// One collection: RxDB's memory engine answers, and every write goes through the queue into the log first. It relies on parts of
// RxDB that are public but not promised (`internals`, `ensurePersistence`, `categorizeBulkWriteRows`): RxDB is pinned exactly.
import {
	type BulkWriteRow,
	categorizeBulkWriteRows,
	type EventBulk,
	type RxDocumentData,
	type RxStorageBulkWriteResponse,
	type RxStorageChangeEvent,
} from "rxdb/plugins/core";
import { type RxStorageInstanceMemory, removeDocFromState } from "rxdb/plugins/storage-memory";
import { Subject } from "rxjs";
import type { LogBackend } from "./log-backend.ts";
import { primaryPathOf } from "./rx-casts.ts";
import type { PreparedWrite, WriteQueue } from "./write-queue.ts";

/** How far a reader has come: RxDB's own checkpoint is the wall clock, and loses writes when that is set back. */
export type Checkpoint = { readonly epoch: string; readonly seq: number };

/** A document with the sequence number of its last write. */
export type Sequenced<T> = { readonly seq: number; readonly document: RxDocumentData<T> };

export type Changes<T> = EventBulk<RxStorageChangeEvent<RxDocumentData<T>>, Checkpoint>;

type Parts<T> = {
	/** What the keys of this collection begin with. */
	readonly prefix: string;
	readonly memory: RxStorageInstanceMemory<T>;
	readonly log: LogBackend;
	readonly queue: WriteQueue;
};

export class DurableCollection<T> {
	readonly memory: RxStorageInstanceMemory<T>;
	readonly changes = new Subject<Changes<T>>();
	readonly #prefix: string;
	readonly #log: LogBackend;
	readonly #queue: WriteQueue;
	/** Sequence number by id, oldest first: a write moves its id to the end. */
	readonly #seqs = new Map<string, number>();

	constructor({ prefix, memory, log, queue }: Parts<T>) {
		this.#prefix = prefix;
		this.memory = memory;
		this.#log = log;
		this.#queue = queue;
	}

	/** Fills an empty collection with what the log held, oldest first. */
	async load(documents: readonly Sequenced<T>[]): Promise<void> {
		if (documents.length === 0) return;
		await this.memory.bulkWrite(
			documents.map(({ document }) => ({ document })),
			"load",
		);
		for (const { document, seq } of documents) this.#note(this.#idOf(document), seq);
	}

	/** Everything in the collection, tombstones too, oldest first. */
	contents(): readonly Sequenced<T>[] {
		return this.#read([...this.#seqs.keys()]).map((document) => ({
			document,
			seq: this.#seqs.get(this.#idOf(document)) ?? 0,
		}));
	}

	async write(rows: BulkWriteRow<T>[], context: string): Promise<RxStorageBulkWriteResponse<T>> {
		const response: RxStorageBulkWriteResponse<T> = { error: [] };
		const keys = rows.map(({ document }) => this.#key(this.#idOf(document)));
		if (new Set(keys).size < keys.length)
			throw new TypeError("a document is written twice at once");
		await this.#queue.submit({
			keys,
			prepare: () => this.#prepare(rows, context, response),
		});
		return response;
	}

	/** Forgets the documents that the predicate picks, for good, in the log too. */
	async purge(picks: (document: RxDocumentData<T>, seq: number) => boolean): Promise<number> {
		let purged = 0;
		await this.#queue.submit({
			keys: "all",
			prepare: () => {
				const documents = this.contents()
					.filter(({ document, seq }) => picks(document, seq))
					.map(({ document }) => document);
				purged = documents.length;
				const purges = documents.map((document) => this.#key(this.#idOf(document)));
				return { puts: [], purges, apply: async () => this.#forget(documents) };
			},
		});
		return purged;
	}

	/** A document as it is now, without waiting for what is being written; tombstones too. */
	peek(id: string): RxDocumentData<T> | undefined {
		return this.#read([id])[0];
	}

	/** The ids of the documents written after a number, oldest first. */
	after(seq: number): readonly string[] {
		return [...this.#seqs].filter(([, written]) => written > seq).map(([id]) => id);
	}

	/** Up to `limit` documents written after the checkpoint, oldest first. A checkpoint of another epoch starts from the beginning. */
	since(limit: number, checkpoint: Checkpoint | undefined) {
		const { epoch, lastSeq } = this.#log;
		const isOurs = checkpoint?.epoch === epoch && checkpoint.seq <= lastSeq;
		let seq = isOurs ? checkpoint.seq : 0;
		const ids: string[] = [];
		for (const [id, written] of this.#seqs) {
			if (ids.length === limit) break;
			if (written <= seq) continue;
			ids.push(id);
			seq = written;
		}
		return { documents: this.#read(ids), checkpoint: { epoch, seq } };
	}

	#prepare(
		rows: BulkWriteRow<T>[],
		context: string,
		response: RxStorageBulkWriteResponse<T>,
	): PreparedWrite {
		this.memory.ensurePersistence();
		const sorted = categorizeBulkWriteRows<T>(
			this.memory,
			primaryPathOf(this.memory.schema),
			this.memory.internals.documents,
			rows,
			context,
		);
		response.error = sorted.errors;
		const written = [...sorted.bulkInsertDocs, ...sorted.bulkUpdateDocs];
		const ids = written.map(({ document }) => this.#idOf(document));
		const puts = written.map(({ document }) => ({
			key: this.#key(this.#idOf(document)),
			value: document,
		}));
		const apply = async (firstSeq: number): Promise<void> => {
			if (ids.length === 0) return;
			await this.memory.bulkWrite(rows, context);
			for (const [at, id] of ids.entries()) this.#note(id, firstSeq + at);
			this.#tell(sorted.eventBulk, firstSeq + ids.length - 1);
		};
		return { puts, purges: [], apply };
	}

	#tell({ id, events, context }: Changes<T>, seq: number): void {
		if (events.length === 0) return;
		this.changes.next({ id, events, context, checkpoint: { epoch: this.#log.epoch, seq } });
	}

	#forget(documents: readonly RxDocumentData<T>[]): void {
		const { schema, internals } = this.memory;
		for (const document of documents) {
			removeDocFromState(primaryPathOf(schema), schema, internals, document);
			this.#seqs.delete(this.#idOf(document));
		}
	}

	#read(ids: readonly string[]): RxDocumentData<T>[] {
		this.memory.ensurePersistence();
		return ids.flatMap((id) => this.memory.internals.documents.get(id) ?? []);
	}

	#note(id: string, seq: number): void {
		this.#seqs.delete(id);
		this.#seqs.set(id, seq);
	}

	#idOf(document: T): string {
		return String(document[primaryPathOf(this.memory.schema)]);
	}

	/** Keys are ASCII whatever the id is; an id with half a surrogate pair throws. */
	#key(id: string): string {
		return this.#prefix + encodeURIComponent(id);
	}
}
