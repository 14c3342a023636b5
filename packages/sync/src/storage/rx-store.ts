// The durable store: documents in RxDB, in memory for reading, and in the log before a write is acknowledged.
import {
	DOCUMENT_KINDS,
	type DocumentBody,
	type DocumentKind,
	type Envelope,
	KnibError,
	type Store,
	StoreError,
	type StoreListener,
} from "@knib/core";
import { accepted, envelopeOf, type NewDocument, tombstoneOf } from "./documents.ts";
import { Listeners } from "./listeners.ts";
import type { StoreLogOptions } from "./open-store-log.ts";
import type { RxEngine, StoredDocument } from "./rx-engine.ts";
import { storeError } from "./store-errors.ts";
import { Turns } from "./turns.ts";

/** How a store is opened. */
export type RxStoreOptions = Pick<StoreLogOptions, "vacuumFrom" | "onVacuumFailed"> & {
	/** The store's own directory, made when it is missing; deleting it while no store is open there empties the store. */
	readonly dir: string;
	/** The id of this host: what it writes has this owner. */
	readonly owner: string;
	/** Called once when the log can no longer be written: everything rejects from then on, and the process had better end. */
	readonly onFatal: (error: StoreError) => void;
};

/** The store on RxDB. */
export interface RxStore extends Store {
	/** Forgets tombstones that are at least so many milliseconds old, by the wall clock. */
	purgeTombstones(minimumAgeMs: number): Promise<void>;
}

/** What a write says of a document. */
type Write = NewDocument & { readonly isRemoval: boolean };

class OpenRxStore implements RxStore {
	readonly #engine: RxEngine;
	readonly #owner: string;
	readonly #listeners = new Listeners();
	readonly #turns = new Turns();
	#counter: number;
	#closed: Promise<void> | undefined;

	constructor(engine: RxEngine, owner: string) {
		this.#engine = engine;
		this.#owner = owner;
		this.#counter = engine.lastVersion;
		for (const kind of DOCUMENT_KINDS) {
			const changes = engine.collection(kind).changeStream();
			changes.subscribe(({ events }) => {
				for (const { documentData } of events) this.#tell(documentData);
			});
		}
	}

	async get(kind: DocumentKind, id: string): Promise<Envelope | undefined> {
		return this.#attempt(async () => {
			const [found] = await this.#find(kind, [id]);
			return found === undefined || found._deleted ? undefined : envelopeOf(found);
		});
	}

	async list(kind: DocumentKind): Promise<readonly Envelope[]> {
		return this.#attempt(async () => (await this.#engine.list(kind)).map(envelopeOf));
	}

	async put(kind: DocumentKind, id: string, body: DocumentBody): Promise<Envelope> {
		const [envelope] = await this.putMany(kind, [{ id, body }]);
		if (envelope !== undefined) return envelope;
		throw new KnibError("INTERNAL", `${kind} ${id} was not written`);
	}

	async putMany(
		kind: DocumentKind,
		documents: readonly NewDocument[],
	): Promise<readonly Envelope[]> {
		return this.#attempt(async () => {
			const writes = accepted(kind, documents).map((document) => ({
				...document,
				isRemoval: false,
			}));
			const write = () => this.#write(kind, writes);
			return writes.length === 0 ? [] : this.#inTurn(kind, documents, write);
		});
	}

	async remove(kind: DocumentKind, id: string): Promise<void> {
		await this.#attempt(async () => {
			const removal = { id, body: {}, isRemoval: true };
			await this.#inTurn(kind, [removal], async () => {
				const [found] = await this.#find(kind, [id]);
				if (found?._deleted === false) await this.#write(kind, [removal]);
			});
		});
	}

	subscribe(kind: DocumentKind | "all", listener: StoreListener): () => void {
		this.#ensureOpen();
		return this.#listeners.add(kind, listener);
	}

	async purgeTombstones(minimumAgeMs: number): Promise<void> {
		await this.#attempt(async () => {
			for (const kind of DOCUMENT_KINDS) await this.#engine.collection(kind).cleanup(minimumAgeMs);
		});
	}

	async close(): Promise<void> {
		this.#closed ??= this.#release();
		await this.#closed;
	}

	async #release(): Promise<void> {
		await this.#turns.settled();
		this.#listeners.clear();
		await this.#engine.close();
	}

	async #find(kind: DocumentKind, ids: readonly string[]) {
		return this.#engine.collection(kind).findDocumentsById([...ids], true);
	}

	/** Writes documents over what is there, in one batch of the log. Nobody else writes them meanwhile. */
	async #write(kind: DocumentKind, writes: readonly Write[]): Promise<readonly Envelope[]> {
		const ids = writes.map(({ id }) => id);
		const found = new Map((await this.#find(kind, ids)).map((found) => [found.id, found]));
		const documents = writes.map((write) => this.#stamped(kind, write));
		const rows = documents.map((document) => {
			const previous = found.get(document.id);
			return previous === undefined ? { document } : { previous, document };
		});
		const { error } = await this.#engine.collection(kind).bulkWrite(rows, "knib-store");
		if (error.length === 0) return documents.map(envelopeOf);
		throw new KnibError("INTERNAL", `${error.length} documents of kind ${kind} were not written`);
	}

	#stamped(kind: DocumentKind, { id, body, isRemoval }: Write) {
		this.#counter += 1;
		return {
			...{ id, kind, owner: this.#owner, ver: this.#counter, sig: "", body },
			_deleted: isRemoval,
			_attachments: {},
			_rev: "",
			_meta: { lwt: 1 },
		};
	}

	#tell(document: StoredDocument & { readonly _deleted: boolean }): void {
		this.#listeners.tell(
			document._deleted
				? { type: "removed", document: tombstoneOf(document) }
				: { type: "put", document: envelopeOf(document) },
		);
	}

	async #inTurn<T>(
		kind: DocumentKind,
		documents: readonly { readonly id: string }[],
		act: () => Promise<T>,
	): Promise<T> {
		return this.#turns.take(
			documents.map(({ id }) => `${kind}/${id}`),
			act,
		);
	}

	#ensureOpen(): void {
		if (this.#closed !== undefined) throw new StoreError("STORE_FAILED", "the store is closed");
	}

	async #attempt<T>(act: () => Promise<T>): Promise<T> {
		this.#ensureOpen();
		try {
			return await act();
		} catch (thrown) {
			throw thrown instanceof KnibError ? thrown : storeError("the store failed", thrown);
		}
	}
}

/** Opens the store in a directory, or an empty one. Rejects with STORE_LOCKED while another process has it open, STORE_FORMAT when another version wrote it, STORE_FULL, or STORE_FAILED, also when it is damaged. A process can hold one store open, since RxDB allows it 13 collections. */
export const openRxStore = async (options: RxStoreOptions): Promise<RxStore> => {
	const { openRxEngine } = await import("./rx-engine.ts");
	return new OpenRxStore(await openRxEngine(options), options.owner);
};
