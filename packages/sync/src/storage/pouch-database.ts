// PouchDB on LevelDB as the log needs it: one revision a document, and every document checked when it is read.
import { crc32 } from "node:zlib";
import { StoreError } from "@knib/core";
import leveldbAdapter from "pouchdb-adapter-leveldb";
import PouchDB from "pouchdb-core";
import { LevelGuard } from "./level-guard.ts";

/** A document of the log: sequence number, value as JSON, and the CRC of id and both, since LevelDB hands out flipped bits. The names are not PouchDB's, which reserves those that begin with an underscore. */
type Sealed = { readonly s: number; readonly j: string; readonly c: number };

/** A document to write: new, with the revision it replaces, or with `_deleted`. */
export type PouchWrite = PouchDB.Core.PutDocument<Sealed>;

/** A document as read. */
export type PouchRead = {
	readonly id: string;
	readonly rev: string;
	readonly seq: number;
	readonly value: unknown;
	/** The document as it lies there. */
	readonly sealed: PouchWrite;
};

/** An open database. */
export type PouchDatabase = {
	readonly pouch: PouchDB.Database<Sealed>;
	readonly guard: LevelGuard;
};

/** Rows that are read or written at once. */
const PAGE = 500;

const Pouch = PouchDB.plugin(leveldbAdapter);

const sealOf = (id: string, seq: number, json: string): number => crc32(`${id}\n${seq}\n${json}`);

/** A document with its checksum. */
export const seal = (id: string, seq: number, value: object): PouchWrite => {
	const json = JSON.stringify(value);
	return { _id: id, s: seq, j: json, c: sealOf(id, seq, json) };
};

const unseal = (id: string, rev: string, { s, j, c }: Sealed): PouchRead => {
	if (typeof j === "string" && c === sealOf(id, s, j)) {
		return { id, rev, seq: s, value: JSON.parse(j), sealed: { _id: id, s, j, c } };
	}
	throw new StoreError("STORE_FAILED", `the store is damaged: the checksum of ${id} is wrong`);
};

/** Opens the database in a directory, or makes it. Rejects with what PouchDB throws, LevelDB's lock error among it. */
export const openPouch = async (directory: string): Promise<PouchDatabase> => {
	const guard = new LevelGuard();
	const options = {
		adapter: "leveldb",
		auto_compaction: true,
		revs_limit: 1,
		deterministic_revs: false,
		db: guard.factory,
		// Everything is read once, so that LevelDB's own cache of 8 MiB would only take memory.
		cacheSize: 1 << 20,
	};
	const pouch = new Pouch<Sealed>(directory, options);
	try {
		await guard.watch(pouch.info());
		return { pouch, guard };
	} catch (thrown) {
		// When LevelDB did not open there is nothing to close.
		await guard.close(async () => undefined);
		throw thrown;
	}
};

/** Gives the directory free. */
export const closePouch = async ({ pouch, guard }: PouchDatabase): Promise<void> =>
	guard.close(() => pouch.close());

/** How many documents there are, and the last sequence number of PouchDB, which counts writes and deletions. */
export const infoOf = async ({
	pouch,
	guard,
}: PouchDatabase): Promise<{ readonly count: number; readonly updateSeq: number }> => {
	const info = await guard.watch(pouch.info());
	return { count: info.doc_count, updateSeq: Number(info.update_seq) };
};

const isMissing = (thrown: unknown): boolean =>
	typeof thrown === "object" && thrown !== null && "status" in thrown && thrown.status === 404;

/** One document, or undefined when there is none. */
export const readDocument = async (
	{ pouch, guard }: PouchDatabase,
	id: string,
): Promise<PouchRead | undefined> => {
	try {
		const document = await guard.watch(pouch.get(id));
		return unseal(id, document._rev, document);
	} catch (thrown) {
		if (isMissing(thrown)) return undefined;
		throw thrown;
	}
};

const readPage = async ({ pouch, guard }: PouchDatabase, after: string | undefined) => {
	const from = after === undefined ? {} : { startkey: after, skip: 1 };
	const { rows } = await guard.watch(pouch.allDocs({ include_docs: true, limit: PAGE, ...from }));
	return rows.map(({ id, value, doc }) => {
		if (doc !== undefined) return unseal(id, value.rev, doc);
		throw new StoreError("STORE_FAILED", `the store is damaged: ${id} is not readable`);
	});
};

/** Calls `each` with every live document. Rejects with STORE_FAILED unless all are there and unharmed (I10). */
export const readAll = async (
	database: PouchDatabase,
	each: (document: PouchRead) => void,
): Promise<void> => {
	const { count } = await infoOf(database);
	let found = 0;
	let after: string | undefined;
	database.guard.strict = true;
	do {
		const page = await readPage(database, after);
		for (const document of page) each(document);
		found += page.length;
		after = page.length < PAGE ? undefined : page.at(-1)?.id;
	} while (after !== undefined);
	database.guard.strict = false;
	if (found === count) return;
	throw new StoreError("STORE_FAILED", `the store is damaged: ${found} of ${count} can be read`);
};

/** One write of PouchDB, which is one batch of LevelDB: documents and local documents, all or none. Returns the new revisions by id. */
export const writeDocuments = async (
	{ pouch, guard }: PouchDatabase,
	documents: readonly PouchWrite[],
): Promise<ReadonlyMap<string, string>> => {
	const revisions = new Map<string, string>();
	for (const result of await guard.watch(pouch.bulkDocs([...documents]))) {
		if (!("ok" in result) || result.id === undefined || result.rev === undefined) {
			throw new StoreError("STORE_FAILED", `a document was refused: ${JSON.stringify(result)}`);
		}
		revisions.set(result.id, result.rev);
	}
	return revisions;
};

/** Writes documents in several batches. */
export const writePages = async (
	database: PouchDatabase,
	documents: readonly PouchWrite[],
): Promise<void> => {
	for (let start = 0; start < documents.length; start += PAGE) {
		await writeDocuments(database, documents.slice(start, start + PAGE));
	}
};
