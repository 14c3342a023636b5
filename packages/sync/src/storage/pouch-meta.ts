import { StoreError } from "@knib/core";
import { z } from "zod";
import {
	infoOf,
	type PouchDatabase,
	type PouchWrite,
	readDocument,
	seal,
	writeDocuments,
} from "./pouch-database.ts";

const pouchMetaSchema = z.object({
	epoch: z.uuid(),
	/** How far the log's sequence numbers are ahead of PouchDB's. */
	base: z.number().int().nonnegative(),
	/** Documents deleted since the last vacuum: PouchDB keeps a stub of each for ever. */
	stubs: z.number().int().nonnegative(),
});

/** What a log keeps about itself, in a local document: that is in no range and takes no sequence number of PouchDB. */
export type PouchMeta = z.infer<typeof pouchMetaSchema>;

/** The id of that document. */
export const META_ID = "_local/knib";

/** That document, to be written over revision `rev`. */
export const metaDocument = (meta: PouchMeta, rev?: string): PouchWrite => {
	const document = seal(META_ID, 0, meta);
	return rev === undefined ? document : { ...document, _rev: rev };
};

/** Reads it, or in a new database writes it first. Rejects with STORE_FORMAT in a database that something else wrote. */
export const readMeta = async (
	database: PouchDatabase,
): Promise<{ readonly meta: PouchMeta; readonly rev: string }> => {
	const found = await readDocument(database, META_ID);
	if (found === undefined && (await infoOf(database)).updateSeq === 0) {
		const meta = { epoch: crypto.randomUUID(), base: 0, stubs: 0 };
		const revisions = await writeDocuments(database, [metaDocument(meta)]);
		return { meta, rev: revisions.get(META_ID) ?? "" };
	}
	const parsed = pouchMetaSchema.safeParse(found?.value);
	if (found !== undefined && parsed.success) return { meta: parsed.data, rev: found.rev };
	throw new StoreError("STORE_FORMAT", "the log does not say what it is", { cause: parsed.error });
};
