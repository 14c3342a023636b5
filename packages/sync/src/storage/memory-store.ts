import {
	type DocumentBody,
	type DocumentKind,
	type Envelope,
	type Store,
	StoreError,
	type StoreListener,
} from "@knib/core";
import { accepted, type NewDocument, tombstoneOf } from "./documents.ts";
import { Listeners } from "./listeners.ts";

class MemoryStore implements Store {
	readonly #owner: string;
	readonly #documents = new Map<DocumentKind, Map<string, Envelope>>();
	readonly #listeners = new Listeners();
	#counter = 0;
	#closed = false;

	constructor(owner: string) {
		this.#owner = owner;
	}

	async get(kind: DocumentKind, id: string): Promise<Envelope | undefined> {
		return this.#collection(kind).get(id);
	}

	async list(kind: DocumentKind): Promise<readonly Envelope[]> {
		return [...this.#collection(kind).values()].sort((a, b) => (a.id < b.id ? -1 : 1));
	}

	async foreign(kind: DocumentKind): Promise<readonly Envelope[]> {
		this.#collection(kind);
		return [];
	}

	async put(kind: DocumentKind, id: string, body: DocumentBody): Promise<Envelope> {
		const collection = this.#collection(kind);
		const [document] = accepted(kind, [{ id, body }]);
		return this.#write(kind, collection, document ?? { id, body });
	}

	async putMany(
		kind: DocumentKind,
		documents: readonly NewDocument[],
	): Promise<readonly Envelope[]> {
		const collection = this.#collection(kind);
		return accepted(kind, documents).map((document) => this.#write(kind, collection, document));
	}

	async remove(kind: DocumentKind, id: string): Promise<void> {
		const collection = this.#collection(kind);
		const found = collection.get(id);
		if (found === undefined) return;
		collection.delete(id);
		this.#counter += 1;
		const document = tombstoneOf({ ...found, owner: this.#owner, ver: this.#counter, sig: "" });
		this.#listeners.tell({ type: "removed", document });
	}

	subscribe(kind: DocumentKind | "all", listener: StoreListener): () => void {
		this.#ensureOpen();
		return this.#listeners.add(kind, listener);
	}

	async close(): Promise<void> {
		this.#closed = true;
		this.#listeners.clear();
	}

	#write(
		kind: DocumentKind,
		collection: Map<string, Envelope>,
		{ id, body }: NewDocument,
	): Envelope {
		this.#counter += 1;
		const document = { id, kind, owner: this.#owner, ver: this.#counter, sig: "", body };
		collection.set(id, document);
		this.#listeners.tell({ type: "put", document });
		return document;
	}

	#collection(kind: DocumentKind): Map<string, Envelope> {
		this.#ensureOpen();
		const found = this.#documents.get(kind) ?? new Map<string, Envelope>();
		this.#documents.set(kind, found);
		return found;
	}

	#ensureOpen(): void {
		if (this.#closed) throw new StoreError("STORE_FAILED", "the store is closed");
	}
}

/** A store in memory that behaves as the durable one while it is open, for tests. `owner` is the id of the host it plays. */
export const createMemoryStore = ({ owner }: { readonly owner: string }): Store =>
	new MemoryStore(owner);
