// The durable store: documents in RxDB, in memory for reading, and in the log before a write is acknowledged.
import {
	bodyOfShared,
	canonicalJson,
	DOCUMENT_KINDS,
	type DocumentBody,
	type DocumentKind,
	type Envelope,
	fieldsOfBody,
	KnibError,
	REMOVED_FIELD,
	type Store,
	StoreError,
	type StoreListener,
	sharedBody,
	writeFields,
	writingWay,
} from "@knib/core";
import type { Replica } from "../replicate/replica.ts";
import { accepted, envelopeOf, type NewDocument, tombstoneOf } from "./documents.ts";
import { Listeners } from "./listeners.ts";
import type { StoreLogOptions } from "./open-store-log.ts";
import type { RxEngine } from "./rx-engine.ts";
import { RxReplica } from "./rx-replica.ts";
import { stampedRow } from "./rx-rows.ts";
import { storeError } from "./store-errors.ts";
import {
	foreignEnvelope,
	isCheckpoint,
	isForeign,
	isReserved,
	keptForm,
	type Self,
	type Stored,
	sharedOf,
} from "./stored-form.ts";
import { Turns } from "./turns.ts";
import { WriterState } from "./writer-state.ts";

/** How a store is opened. */
export type RxStoreOptions = Pick<StoreLogOptions, "vacuumFrom" | "onVacuumFailed"> & {
	/** The store's own directory, made when it is missing; deleting it while no store is open there empties the store. */
	readonly dir: string;
	/** The id of this host: what it writes has this owner. */
	readonly owner: string;
	/** Signs with this host's key, whose id the owner is. Absent: a store that takes part in no replication. */
	readonly sign?: (text: string) => string;
	/** The wall clock, ms. */
	readonly now?: () => number;
	/** Called once when the log can no longer be written: everything rejects from then on, and the process had better end. */
	readonly onFatal: (error: StoreError) => void;
};

/** The store on RxDB. */
export interface RxStore extends Store {
	/** What peers read of this store and what theirs is merged into. */
	readonly replica: Replica;
	/** Forgets tombstones that are at least so many milliseconds old, by the wall clock. */
	purgeTombstones(minimumAgeMs: number): Promise<void>;
}

/** What a write says of a document. */
type Write = NewDocument & { readonly isRemoval: boolean };

class OpenRxStore implements RxStore {
	readonly replica: RxReplica;
	readonly #engine: RxEngine;
	readonly #self: Self;
	readonly #isShared: (kind: DocumentKind) => boolean;
	readonly #state: WriterState;
	readonly #listeners = new Listeners();
	readonly #turns = new Turns();
	#closed: Promise<void> | undefined;

	constructor(engine: RxEngine, { owner, sign, now = Date.now }: RxStoreOptions) {
		this.#engine = engine;
		this.#isShared = (kind) => sign !== undefined && writingWay(kind) === "shared";
		this.#self = { id: owner, sign: sign ?? (() => "") };
		// A lost store that begins anew begins above all that peers may still have of it, unless the clock was set back.
		this.#state = new WriterState(Math.max(engine.lastVersion, now()), now);
		this.replica = new RxReplica({
			engine,
			turns: this.#turns,
			self: this.#self,
			state: this.#state,
		});
		this.#learn();
		for (const kind of DOCUMENT_KINDS) {
			const changes = engine.collection(kind).changeStream();
			changes.subscribe(({ events }) => {
				for (const { documentData } of events) this.#tell(documentData);
			});
		}
	}

	/** What this host has written before, so that what it writes now is later. */
	#learn(): void {
		for (const kind of DOCUMENT_KINDS) {
			const durable = this.#engine.durable(kind);
			const stored = durable.after(0).flatMap((id) => durable.peek(id) ?? []);
			for (const one of stored.filter(({ id }) => !isReserved(id))) this.#learnFrom(one);
		}
	}

	#learnFrom(stored: Stored): void {
		this.#state.sawVersion(stored.ver);
		if (!this.#isShared(stored.kind)) return;
		const registers = Object.values(sharedOf(stored, this.#self).fields).flat();
		for (const { hlc } of registers) this.#state.sawHlc(hlc);
	}

	async get(kind: DocumentKind, id: string): Promise<Envelope | undefined> {
		return this.#attempt(async () => {
			const [found] = await this.#find(kind, [id]);
			return found === undefined ? undefined : this.#envelope(found);
		});
	}

	async list(kind: DocumentKind): Promise<readonly Envelope[]> {
		return this.#attempt(async () =>
			(await this.#engine.list(kind))
				.filter(({ id }) => !isReserved(id))
				.flatMap((stored) => this.#envelope(stored) ?? []),
		);
	}

	async foreign(kind: DocumentKind): Promise<readonly Envelope[]> {
		return this.#attempt(async () =>
			(await this.#engine.list(kind))
				.filter(({ id }) => isForeign(id))
				.map((stored) => envelopeOf(foreignEnvelope(stored)))
				.sort((a, b) => (`${a.owner}/${a.id}` < `${b.owner}/${b.id}` ? -1 : 1)),
		);
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
				if (found === undefined || this.#envelope(found) === undefined) return;
				await this.#write(kind, [removal]);
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

	/** The document as callers know it; undefined when it was removed. */
	#envelope(stored: Stored): Envelope | undefined {
		if (!this.#isShared(stored.kind)) return stored._deleted ? undefined : envelopeOf(stored);
		const body = bodyOfShared(sharedOf(stored, this.#self));
		return body === undefined ? undefined : envelopeOf({ ...stored, body });
	}

	async #write(kind: DocumentKind, writes: readonly Write[]): Promise<readonly Envelope[]> {
		const rows = writes.map((write) => this.#stored(kind, write));
		await this.#engine.write(kind, rows.map(stampedRow));
		return rows.map((row) => this.#envelope(row) ?? envelopeOf(row));
	}

	#stored(kind: DocumentKind, write: Write): Stored {
		const { id, body, isRemoval } = write;
		const ver = this.#state.nextVersion();
		if (this.#isShared(kind)) return this.#shared(kind, write, ver);
		const once = isRemoval ? 2 : 1;
		const counted = writingWay(kind) === "once" ? once : ver;
		const owner = this.#self.id;
		return { id, kind, owner, ver: counted, sig: "", body, _deleted: isRemoval };
	}

	/** Only what differs is written, so that what another host has set at the same time stays. */
	#shared(kind: DocumentKind, { id, body, isRemoval }: Write, ver: number): Stored {
		const found = this.#engine.durable(kind).peek(id);
		const empty = { way: "shared", kind, id, fields: {} } as const;
		const before = found === undefined ? empty : sharedOf(found, this.#self);
		const said = sharedBody(before);
		const wanted = isRemoval ? { ...said, [REMOVED_FIELD]: true } : fieldsOfBody(kind, body);
		const gone = Object.keys(said).filter((field) => !Object.hasOwn(wanted, field));
		const changed = Object.entries(wanted).filter(
			([field, value]) => canonicalJson(value) !== canonicalJson(said[field] ?? null),
		);
		const values = {
			...Object.fromEntries(changed),
			...Object.fromEntries(gone.map((f) => [f, null])),
		};
		const writer = { host: this.#self.id, hlc: this.#state.nextHlc(), sign: this.#self.sign };
		return keptForm(writeFields(before, values, writer), { self: this.#self.id, ver });
	}

	#tell(stored: Stored): void {
		this.replica.changed(stored.kind, stored);
		if (isCheckpoint(stored.id)) return;
		const document = isForeign(stored.id) ? foreignEnvelope(stored) : this.#envelope(stored);
		this.#listeners.tell(
			stored._deleted || document === undefined
				? { type: "removed", document: tombstoneOf(document ?? stored) }
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
	return new OpenRxStore(await openRxEngine(options), options);
};
