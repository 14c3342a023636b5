// The RxStorage of knib over an open log. It serves one database of one process; RxDB's own cross-process support is refused.
import type { StoreError } from "@knib/core";
import {
	type BulkWriteRow,
	ensureRxStorageInstanceParamsAreCorrect,
	now,
	type PreparedQuery,
	RXDB_VERSION,
	type RxDocumentData,
	type RxJsonSchema,
	type RxStorage,
	type RxStorageInstance,
	type RxStorageInstanceCreationParams,
} from "rxdb/plugins/core";
import { createMemoryStorageInstance, getRxStorageMemory } from "rxdb/plugins/storage-memory";
import type { Observable } from "rxjs";
import {
	type Changes,
	type Checkpoint,
	DurableCollection,
	type Sequenced,
} from "./durable-collection.ts";
import type { LogBackend } from "./log-backend.ts";
import { parseStored } from "./rx-casts.ts";
import { WriteQueue } from "./write-queue.ts";

type Params<T> = RxStorageInstanceCreationParams<T, object>;

type Hooks<T> = {
	readonly collection: DurableCollection<T>;
	readonly queue: WriteQueue;
	/** Called once, when the instance is closed or its collection removed. */
	readonly onClosed: () => void;
};

export class DurableInstance<T> implements RxStorageInstance<T, object, object, Checkpoint> {
	readonly databaseName: string;
	readonly collectionName: string;
	readonly schema: Readonly<RxJsonSchema<RxDocumentData<T>>>;
	readonly options: Readonly<object>;
	readonly internals = {};
	readonly #collection: DurableCollection<T>;
	readonly #queue: WriteQueue;
	readonly #onClosed: () => void;
	#closed: Promise<void> | undefined;

	constructor(params: Params<T>, { collection, queue, onClosed }: Hooks<T>) {
		this.databaseName = params.databaseName;
		this.collectionName = params.collectionName;
		this.schema = params.schema;
		this.options = params.options;
		this.#collection = collection;
		this.#queue = queue;
		this.#onClosed = onClosed;
	}

	async bulkWrite(rows: BulkWriteRow<T>[], context: string) {
		return this.#usable().write(rows, context);
	}

	async findDocumentsById(ids: string[], withDeleted: boolean) {
		return this.#usable().memory.findDocumentsById(ids, withDeleted);
	}

	async query(query: PreparedQuery<T>) {
		return this.#usable().memory.query(query);
	}

	async count(query: PreparedQuery<T>) {
		return this.#usable().memory.count(query);
	}

	async getChangedDocumentsSince(limit: number, checkpoint?: Checkpoint) {
		return this.#usable().since(limit, checkpoint);
	}

	changeStream(): Observable<Changes<T>> {
		return this.#usable().changes.asObservable();
	}

	async getAttachmentData(): Promise<Blob> {
		throw new Error("attachments are not supported");
	}

	/** Forgets tombstones written at least so many milliseconds ago. */
	async cleanup(minimumDeletedTime: number): Promise<boolean> {
		const latest = now() - minimumDeletedTime;
		await this.#usable().purge((document) => document._deleted && document._meta.lwt <= latest);
		return true;
	}

	/** Forgets the documents that the predicate picks; answers how many. */
	async purge(picks: (document: RxDocumentData<T>, seq: number) => boolean): Promise<number> {
		return this.#usable().purge(picks);
	}

	/** See DurableCollection. */
	peek(id: string): RxDocumentData<T> | undefined {
		return this.#usable().peek(id);
	}

	/** See DurableCollection. */
	after(seq: number) {
		return this.#usable().after(seq);
	}

	async remove(): Promise<void> {
		await this.#usable().purge(() => true);
		await this.close();
	}

	async close(): Promise<void> {
		this.#closed ??= this.#release();
		await this.#closed;
	}

	async #release(): Promise<void> {
		await this.#queue.idle();
		this.#onClosed();
		this.#collection.changes.complete();
		await this.#collection.memory.close();
	}

	#usable(): DurableCollection<T> {
		if (this.#closed !== undefined) throw new Error(`${this.collectionName} is closed`);
		this.#queue.ensureSound();
		return this.#collection;
	}
}

class DurableStorage implements RxStorage<object, object> {
	readonly name = "knib-log";
	readonly rxdbVersion = RXDB_VERSION;
	readonly #log: LogBackend;
	readonly #queue: WriteQueue;
	readonly #open = new Set<string>();
	/** What collections held when they were closed, by prefix: the log gives its entries away once. */
	readonly #parked = new Map<string, () => readonly Sequenced<unknown>[]>();

	constructor(log: LogBackend, onFatal: (error: StoreError) => void) {
		this.#log = log;
		this.#queue = new WriteQueue(log, onFatal);
	}

	async createStorageInstance<T>(params: Params<T>): Promise<DurableInstance<T>> {
		ensureRxStorageInstanceParamsAreCorrect(params);
		if (params.multiInstance) throw new Error(`${this.name} serves one process only`);
		if (params.schema.attachments !== undefined) throw new Error("attachments are not supported");
		const { databaseName, collectionName, schema } = params;
		const name = `${encodeURIComponent(databaseName)}/${encodeURIComponent(collectionName)}`;
		const prefix = `c:${name}/${schema.version}:`;
		if (this.#open.has(prefix)) throw new Error(`${collectionName} is open already`);
		this.#open.add(prefix);
		const memory = await createMemoryStorageInstance<T>(
			{ ...getRxStorageMemory(), collectionStates: new Map() },
			params,
			{},
		);
		const queue = this.#queue;
		const collection = new DurableCollection<T>({ prefix, memory, log: this.#log, queue });
		await collection.load(this.#find<T>(prefix));
		const onClosed = () => {
			this.#open.delete(prefix);
			this.#parked.set(prefix, () => collection.contents());
		};
		return new DurableInstance<T>(params, { collection, queue, onClosed });
	}

	#find<T>(prefix: string): readonly Sequenced<T>[] {
		const parked = this.#parked.get(prefix);
		const found =
			parked === undefined
				? this.#log.take(prefix).map(({ key, seq, value }) => ({ key, seq, document: value }))
				: parked().map(({ seq, document }) => ({ key: prefix, seq, document }));
		this.#parked.delete(prefix);
		return found.map(({ key, seq, document }) => ({
			seq,
			document: parseStored<T>(key, document),
		}));
	}
}

/** An RxStorage over an open log, which it writes alone and does not close. When the log fails everything rejects from then on, and `onFatal` is called once. */
export const createDurableStorage = (
	log: LogBackend,
	onFatal: (error: StoreError) => void,
): RxStorage<object, object> => new DurableStorage(log, onFatal);
