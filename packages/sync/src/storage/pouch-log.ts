// The log on PouchDB over LevelDB: the durable one.
import { StoreError } from "@knib/core";
import type { LogBackend, LogBatch, LogEntry } from "./log-backend.ts";
import {
	closePouch,
	infoOf,
	openPouch,
	type PouchDatabase,
	type PouchWrite,
	readAll,
	seal,
	writeDocuments,
	writePages,
} from "./pouch-database.ts";
import { META_ID, metaDocument, type PouchMeta, readMeta } from "./pouch-meta.ts";
import { storeError } from "./store-errors.ts";

/** A log in a directory of its own. */
export interface PouchLog extends LogBackend {
	/** How much of the directory is dead: `live` documents, and stubs of purged ones that only a vacuum removes. */
	fill(): { readonly live: number; readonly stubs: number };
	/** Copies what is live, with its sequence numbers and the epoch, into a database that is empty. */
	copyTo(target: PouchDatabase): Promise<void>;
}

type Contents = {
	readonly database: PouchDatabase;
	readonly meta: PouchMeta;
	readonly metaRev: string;
	readonly lastSeq: number;
	/** Revision of every key: PouchDB refuses a document whose predecessor is not named. */
	readonly revisions: Map<string, string>;
	/** What nobody took yet, oldest first. */
	readonly entries: LogEntry[];
};

const load = async (database: PouchDatabase): Promise<Contents> => {
	const { updateSeq } = await infoOf(database);
	const { meta, rev: metaRev } = await readMeta(database);
	// Each put and each purge takes a number of PouchDB's, so this is never below a number that was given out.
	const lastSeq = meta.base + updateSeq;
	const revisions = new Map<string, string>();
	const entries: LogEntry[] = [];
	await readAll(database, ({ id, rev, seq, value }) => {
		revisions.set(id, rev);
		entries.push({ key: id, seq, value });
	});
	entries.sort((a, b) => a.seq - b.seq);
	if ((entries.at(-1)?.seq ?? 0) > lastSeq) {
		throw new StoreError("STORE_FAILED", "the store is damaged: its last writes were forgotten");
	}
	return { database, meta, metaRev, lastSeq, revisions, entries };
};

class OpenPouchLog implements PouchLog {
	readonly #directory: string;
	readonly #database: PouchDatabase;
	readonly #revisions: Map<string, string>;
	#entries: LogEntry[];
	#meta: PouchMeta;
	#metaRev: string;
	#lastSeq: number;
	#closed: Promise<void> | undefined;
	#broken: StoreError | undefined;

	constructor(directory: string, contents: Contents) {
		this.#directory = directory;
		this.#database = contents.database;
		this.#revisions = contents.revisions;
		this.#entries = contents.entries;
		this.#meta = contents.meta;
		this.#metaRev = contents.metaRev;
		this.#lastSeq = contents.lastSeq;
	}

	get epoch(): string {
		return this.#meta.epoch;
	}

	get lastSeq(): number {
		return this.#lastSeq;
	}

	take(prefix: string): readonly LogEntry[] {
		const taken = this.#entries.filter(({ key }) => key.startsWith(prefix));
		this.#entries = this.#entries.filter(({ key }) => !key.startsWith(prefix));
		return taken;
	}

	async write(batch: LogBatch): Promise<number> {
		if (this.#broken !== undefined) throw this.#broken;
		try {
			return await this.#attempt("written", () => this.#commit(batch));
		} catch (thrown) {
			this.#broken = storeError("the log is not used further", thrown);
			throw thrown;
		}
	}

	fill(): { readonly live: number; readonly stubs: number } {
		return { live: this.#revisions.size, stubs: this.#meta.stubs };
	}

	async copyTo(target: PouchDatabase): Promise<void> {
		await this.#attempt("copied", async () => {
			const meta = { epoch: this.epoch, base: this.#lastSeq, stubs: 0 };
			const documents: PouchWrite[] = [];
			await readAll(this.#database, ({ sealed }) => documents.push(sealed));
			await writeDocuments(target, [metaDocument(meta)]);
			await writePages(target, documents);
		});
	}

	async close(): Promise<void> {
		this.#closed ??= closePouch(this.#database);
		await this.#closed;
	}

	async #attempt<T>(what: string, act: () => Promise<T>): Promise<T> {
		if (this.#closed !== undefined) throw new StoreError("STORE_FAILED", "the log is closed");
		try {
			return await act();
		} catch (thrown) {
			throw storeError(`the log in ${this.#directory} could not be ${what}`, thrown);
		}
	}

	async #commit({ puts, purges }: LogBatch): Promise<number> {
		const first = this.#lastSeq + 1;
		const written = puts.map(({ key, value }, at) => this.#over(key, seal(key, first + at, value)));
		const known = purges.filter((key) => this.#revisions.has(key));
		const deleted = known.map((key) => this.#over(key, { ...seal(key, 0, {}), _deleted: true }));
		const meta = { ...this.#meta, stubs: this.#meta.stubs + known.length };
		const metas = known.length === 0 ? [] : [metaDocument(meta, this.#metaRev)];
		const documents = [...written, ...deleted, ...metas];
		if (documents.length === 0) return first;
		const revisions = await writeDocuments(this.#database, documents);
		for (const { key } of puts) this.#revisions.set(key, revisions.get(key) ?? "");
		for (const key of known) this.#revisions.delete(key);
		this.#meta = meta;
		this.#metaRev = revisions.get(META_ID) ?? this.#metaRev;
		this.#lastSeq += puts.length;
		return first;
	}

	#over(key: string, document: PouchWrite): PouchWrite {
		const rev = this.#revisions.get(key);
		return rev === undefined ? document : { ...document, _rev: rev };
	}
}

/** Opens the log in a directory, or makes an empty one. The directory holds nothing else. */
export const openPouchLog = async (directory: string): Promise<PouchLog> => {
	try {
		const database = await openPouch(directory);
		try {
			return new OpenPouchLog(directory, await load(database));
		} catch (thrown) {
			await closePouch(database);
			throw thrown;
		}
	} catch (thrown) {
		throw storeError(`the log in ${directory} could not be opened`, thrown);
	}
};
