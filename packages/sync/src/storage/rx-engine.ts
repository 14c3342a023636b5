// The RxDB database of the store: one collection a kind, on the log in the store's directory. Imported only when a store is
// opened, since loading RxDB and PouchDB takes a third of a second.
import {
	DOCUMENT_KINDS,
	type DocumentKind,
	type Envelope,
	KnibError,
	StoreError,
} from "@knib/core";
import {
	createRxDatabase,
	type PreparedQuery,
	prepareQuery,
	type RxCollection,
	type RxDatabase,
	type RxDocumentData,
	type RxJsonSchema,
	type RxStorageInstance,
} from "rxdb/plugins/core";
import { createDurableStorage, DurableInstance } from "./durable-storage.ts";
import type { LogBackend } from "./log-backend.ts";
import { openStoreLog, type StoreLogOptions } from "./open-store-log.ts";
import type { StampedRow } from "./rx-rows.ts";
import { storeError } from "./store-errors.ts";

/** What a document is in RxDB: an envelope as stored-form.ts makes it. */
export type StoredDocument = Envelope;

/** A collection of RxDB below its documents and queries: what they are made of, without their caches. */
export type Collection = RxStorageInstance<StoredDocument, unknown, unknown>;

export type RxEngine = {
	/** Names the history of the log. */
	readonly epoch: string;
	collection(kind: DocumentKind): Collection;
	/** The same below RxDB's wrapper. */
	durable(kind: DocumentKind): DurableInstance<StoredDocument>;
	/** Writes documents over what is there, in one batch of the log. Nobody else may write them meanwhile. */
	write(kind: DocumentKind, rows: readonly StampedRow[]): Promise<void>;
	/** All live documents of a kind by key. */
	list(kind: DocumentKind): Promise<readonly RxDocumentData<StoredDocument>[]>;
	/** No write that this store ever made had a version above this one. */
	readonly lastVersion: number;
	close(): Promise<void>;
};

export type RxEngineOptions = StoreLogOptions & {
	readonly dir: string;
	readonly onFatal: (error: StoreError) => void;
};

const NAMES: Record<DocumentKind, string> = {
	host: "hosts",
	vm: "vms",
	repository: "repositories",
	offering: "offerings",
	schedule: "schedules",
	chain: "chains",
	backup: "backups",
	job: "jobs",
	intent: "intents",
	setting: "settings",
	alert: "alerts",
};

/** Any change of it changes the format of the store: raise STORE_VERSION with it. */
const SCHEMA: RxJsonSchema<StoredDocument> = {
	version: 0,
	primaryKey: "id",
	type: "object",
	properties: {
		id: { type: "string", maxLength: 128 },
		kind: { type: "string" },
		owner: { type: "string" },
		ver: { type: "integer" },
		sig: { type: "string" },
		body: { type: "object", additionalProperties: true },
	},
	required: ["id", "kind", "owner", "ver", "sig", "body"],
};

/** RxDB says by these codes that the store was written with another RxDB or another schema. */
const FORMAT_CODES: readonly unknown[] = ["DM5", "DB6"];

const rxError = (dir: string, thrown: unknown): StoreError => {
	const code = thrown instanceof Error && "code" in thrown ? thrown.code : undefined;
	if (!FORMAT_CODES.includes(code)) return storeError(`store ${dir} could not be opened`, thrown);
	return new StoreError("STORE_FORMAT", `store ${dir} was written by another version (${code})`, {
		cause: thrown,
	});
};

const allById = ({ schema }: Collection): PreparedQuery<StoredDocument> =>
	prepareQuery<StoredDocument>(schema, {
		selector: { _deleted: { $eq: false } },
		index: ["_deleted", "id"],
		sort: [{ id: "asc" }],
		skip: 0,
	});

type Collections = Record<string, RxCollection<StoredDocument>>;
type Opened = { readonly wrapped: Collection; readonly durable: DurableInstance<StoredDocument> };

const addCollections = async (
	database: RxDatabase<Collections>,
): Promise<ReadonlyMap<DocumentKind, Opened>> => {
	const names = DOCUMENT_KINDS.map((kind) => NAMES[kind]);
	const creators = Object.fromEntries(names.map((name) => [name, { schema: SCHEMA }]));
	const made = await database.addCollections<Collections>(creators);
	return new Map(
		DOCUMENT_KINDS.flatMap((kind) => {
			const wrapped = made[NAMES[kind]]?.storageInstance;
			const durable: unknown = wrapped?.originalStorageInstance;
			if (wrapped === undefined || !(durable instanceof DurableInstance)) return [];
			return [[kind, { wrapped, durable: durable as DurableInstance<StoredDocument> }] as const];
		}),
	);
};

const openDatabase = async (log: LogBackend, onFatal: RxEngineOptions["onFatal"]) => {
	const database = await createRxDatabase<Collections>({
		name: "knib",
		storage: createDurableStorage(log, onFatal),
		multiInstance: false,
	});
	try {
		return { database, collections: await addCollections(database) };
	} catch (thrown) {
		await database.close();
		throw thrown;
	}
};

/** Opens the database in a directory. Rejects as openRxStore does. */
export const openRxEngine = async (options: RxEngineOptions): Promise<RxEngine> => {
	const log = await openStoreLog(options.dir, options);
	// Each write takes a version and a sequence number, so that no version was ever above the last number.
	const lastVersion = log.lastSeq;
	try {
		const { database, collections } = await openDatabase(log, options.onFatal);
		const opened = (kind: DocumentKind): Opened => {
			const found = collections.get(kind);
			if (found !== undefined) return found;
			throw new StoreError("STORE_FAILED", `there is no collection of kind ${kind}`);
		};
		const collection = (kind: DocumentKind): Collection => opened(kind).wrapped;
		return {
			epoch: log.epoch,
			collection,
			durable: (kind) => opened(kind).durable,
			write: async (kind, documents) => {
				const { wrapped, durable } = opened(kind);
				const rows = documents.map((document) => {
					const previous = durable.peek(document.id);
					return previous === undefined ? { document } : { previous, document };
				});
				const { error } = await wrapped.bulkWrite(rows, "knib-store");
				if (error.length === 0) return;
				throw new KnibError(
					"INTERNAL",
					`${error.length} documents of kind ${kind} were not written`,
				);
			},
			lastVersion,
			list: async (kind) => {
				const found = collection(kind);
				return (await found.query(allById(found))).documents;
			},
			close: async () => {
				try {
					await database.close();
				} finally {
					await log.close();
				}
			},
		};
	} catch (thrown) {
		await log.close();
		throw rxError(options.dir, thrown);
	}
};
