// The store's port: the searchable, replicated view of what repositories, libvirt and journals say. It may be lost and
// rebuilt (I3). Documents lie in envelopes with a loose body, so that hosts of different versions can live together.
import { z } from "zod";
import { KnibError } from "./errors.ts";

/** What a document is about; each kind is a collection of its own, and decides who may write. */
export const documentKindSchema = z.enum([
	"host",
	"vm",
	"repository",
	"offering",
	"schedule",
	"chain",
	"backup",
	"job",
	"intent",
	"setting",
	"alert",
]);
export type DocumentKind = z.infer<typeof documentKindSchema>;

/** Every kind, in the order of their declaration. */
export const DOCUMENT_KINDS: readonly DocumentKind[] = documentKindSchema.options;

/** A document's id: unique in its kind, at most 128 UTF-16 units, without control characters and lone surrogates, not ending in a space (which the store's indexes pad with). */
export const documentIdSchema = z
	.string()
	.min(1)
	.max(128)
	.regex(/^[^\p{Cc}\p{Cs}]*[^\p{Cc}\p{Cs} ]$/u, "not a document id");

/** What a document says: plain JSON, checked by the schema of whoever reads it. */
export const documentBodySchema = z.looseObject({});
export type DocumentBody = Readonly<Record<string, unknown>>;

/** A document as stored and sent to peers. */
export const envelopeSchema = z.object({
	id: documentIdSchema,
	kind: documentKindSchema,
	/** The host that wrote this version; of a document that every host writes, this one. */
	owner: z.string().min(1).max(128),
	/** The owner's counter at this write: it grows with every write of the owner and is never used twice in the life of a store. */
	ver: z.number().int().positive(),
	/** The owner's signature; empty on this host's own documents, which are signed when a peer asks for them, and on those that every host writes, whose fields are signed. */
	sig: z.string(),
	body: documentBodySchema,
});
export type Envelope = Readonly<Omit<z.infer<typeof envelopeSchema>, "body">> & {
	/** Deeply frozen. */
	readonly body: DocumentBody;
};

/** What stays of a removed document: everything but its body. */
export type Tombstone = Omit<Envelope, "body">;

/** A document that was written or removed, told once it is durable. */
export type StoreChange =
	| { readonly type: "put"; readonly document: Envelope }
	| { readonly type: "removed"; readonly document: Tombstone };

/** Called with the changes of one document in their order, before the writer's promise resolves. What it throws is an uncaught exception of the process. */
export type StoreListener = (change: StoreChange) => void;

/** The documents of this host. Every method rejects with a StoreError; after STORE_FULL or STORE_FAILED all later ones do, and the store must be opened again. Arguments that are no id or no JSON reject with INTERNAL. */
export interface Store {
	/** The document, or undefined when there is none or it was removed. */
	get(kind: DocumentKind, id: string): Promise<Envelope | undefined>;
	/** All documents of a kind that this host owns or that every host writes, by id. */
	list(kind: DocumentKind): Promise<readonly Envelope[]>;
	/** The documents of a kind that other hosts own, as far as they have come here; by owner and id. Empty for a kind that every host writes. */
	foreign(kind: DocumentKind): Promise<readonly Envelope[]>;
	/** Creates or replaces a document; durable when it resolves. Writes to one document happen in the order of the calls. The body is copied and must be JSON. */
	put(kind: DocumentKind, id: string, body: DocumentBody): Promise<Envelope>;
	/** Creates or replaces documents of one kind, all or none, also over a crash. The ids must differ. */
	putMany(
		kind: DocumentKind,
		documents: readonly { readonly id: string; readonly body: DocumentBody }[],
	): Promise<readonly Envelope[]>;
	/** Removes a document, leaving a tombstone without body; repeatable. */
	remove(kind: DocumentKind, id: string): Promise<void>;
	/** Tells the listener of every later change; returns what ends that. */
	subscribe(kind: DocumentKind | "all", listener: StoreListener): () => void;
	/** Waits for the writes under way and gives the store free; repeatable. */
	close(): Promise<void>;
}

/** Codes of the store: in use by another process, no space, broken or closed, written by another version. */
export type StoreErrorCode = Extract<
	"STORE_LOCKED" | "STORE_FULL" | "STORE_FAILED" | "STORE_FORMAT",
	KnibError["code"]
>;

/** A KnibError of the store. */
export class StoreError extends KnibError {
	declare readonly code: StoreErrorCode;
	constructor(code: StoreErrorCode, message: string, options: { cause?: unknown } = {}) {
		super(code, message, options);
	}
}
