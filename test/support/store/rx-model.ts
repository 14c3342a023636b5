// A collection under the RxStorage of knib, driven below RxDB, beside a model that replays its change stream.
import type { LogBackend } from "@knib/sync";
import {
	type BulkWriteRow,
	createRevision,
	fillWithDefaultSettings,
	now,
	prepareQuery,
	type RxDocumentData,
	type RxStorage,
	type RxStorageInstance,
} from "rxdb/plugins/core";
import { createDurableStorage } from "../../../packages/sync/src/storage/durable-storage.ts";
import type { Random } from "./random.ts";

export type Item = { readonly id: string; readonly v: number };
export type StoredItem = RxDocumentData<Item>;
export type Checkpoint = { readonly epoch: string; readonly seq: number };
export type Instance = RxStorageInstance<Item, unknown, unknown, Checkpoint>;

const SCHEMA = fillWithDefaultSettings<Item>({
	version: 0,
	primaryKey: "id",
	type: "object",
	properties: {
		id: { type: "string", maxLength: 64 },
		v: { type: "integer", minimum: 0, maximum: 1000, multipleOf: 1 },
	},
	required: ["id", "v"],
	indexes: ["v"],
});

/** Ids of every awkward kind: quotes, slashes, beyond the BMP, leading underscore, the highest code unit. */
export const IDS: readonly string[] = Array.from(
	{ length: 60 },
	(_, n) => ["k", "ü/ %", "🚀", "_u", "a\uffff", '"\\', "c:x/0:"][n % 7] + String(n),
);

/** Opens the collection of a storage. */
export const openItems = async (storage: RxStorage<object, object>): Promise<Instance> =>
	storage.createStorageInstance<Item>({
		databaseInstanceToken: "test",
		databaseName: "d",
		collectionName: "items",
		schema: SCHEMA,
		options: {},
		multiInstance: false,
		devMode: false,
	});

/** Opens the collection on a log. */
export const openItemsOn = async (log: LogBackend): Promise<Instance> =>
	openItems(createDurableStorage(log, () => undefined));

/** A row that writes `v` over what is there, or removes it. */
export const rowOver = (
	previous: StoredItem | undefined,
	item: Item,
	isRemoval = false,
): BulkWriteRow<Item> => {
	const document = {
		...item,
		_deleted: isRemoval,
		_attachments: {},
		_meta: { lwt: now() },
		_rev: createRevision("test", previous),
	};
	return previous === undefined ? { document } : { previous, document };
};

/** Writes and removals of some ids at once, on a state that others change meanwhile. Returns how many conflicts came back. */
export const writeSome = async (instance: Instance, random: Random): Promise<number> => {
	const ids = random.some(1 + random.below(4), IDS.length).map((at) => IDS[at] ?? "");
	const found = new Map(
		(await instance.findDocumentsById(ids, true)).map((document) => [document.id, document]),
	);
	const rows = ids.map((id) => {
		const previous = found.get(id);
		const isRemoval = previous !== undefined && random.below(4) === 0;
		return rowOver(previous, { id, v: random.below(1000) }, isRemoval);
	});
	if (random.below(3) === 0) await new Promise((resolve) => setImmediate(resolve));
	const { error } = await instance.bulkWrite(rows, "test");
	if (error.some(({ status }) => status !== 409)) throw new Error("not a conflict");
	return error.length;
};

/** All documents that match `from <= v < to`, by the query engine. */
export const queryRange = async (
	instance: Instance,
	from: number,
	to: number,
): Promise<readonly string[]> => {
	const query = prepareQuery<Item>(instance.schema, {
		selector: { _deleted: { $eq: false }, v: { $gte: from, $lt: to } },
		sort: [{ v: "asc" }, { id: "asc" }],
		skip: 0,
	});
	return (await instance.query(query)).documents.map(({ id }) => id);
};

/** Everything written after a checkpoint, fetched in pages of `limit`. */
export const readSince = async (
	instance: Instance,
	checkpoint: Checkpoint | undefined,
	limit: () => number,
): Promise<{ readonly documents: readonly StoredItem[]; readonly checkpoint: Checkpoint }> => {
	const documents: StoredItem[] = [];
	let after = checkpoint;
	for (;;) {
		const most = limit();
		const page = await instance.getChangedDocumentsSince?.(most, after);
		if (page === undefined) throw new Error("the storage has no checkpoints");
		documents.push(...page.documents);
		after = page.checkpoint;
		if (page.documents.length < most) return { documents, checkpoint: after };
	}
};

/** What replicas are compared by. */
export const stateOf = (documents: Iterable<StoredItem>): readonly string[] =>
	[...documents].map(({ id, v, _deleted, _rev }) => JSON.stringify([id, v, _deleted, _rev])).sort();
