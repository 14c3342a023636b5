// How documents of all hosts lie in the collections of one store. A host's own documents and the shared ones lie under their ids;
// what other hosts own, and how far this host has read their logs, under keys that no id can be.
import { createHash } from "node:crypto";
import {
	type DocumentBody,
	type DocumentKind,
	documentBodySchema,
	type Envelope,
	fieldsOfBody,
	hlcOfVersion,
	type OwnedDocument,
	ownedText,
	REMOVED_FIELD,
	type ReplicaDocument,
	registerText,
	type SharedDocument,
	StoreError,
	sharedDocumentSchema,
	writingWay,
} from "@knib/core";
import { plainBytes } from "../link/bytes.ts";
import type { ReplicaCheckpoint } from "../wire/frames.ts";
import { replicaCheckpointSchema } from "../wire/frames.ts";

/** Ids have no control characters. */
const FOREIGN = "\u0001f";
const CHECKPOINT = "\u0001c";

/** A document as it lies in a collection. */
export type Stored = Envelope & { readonly _deleted: boolean };

/** Who this host is to its documents. */
export type Self = { readonly id: string; readonly sign: (text: string) => string };

/** True for a key that is no id of a document of this store. */
export const isReserved = (key: string): boolean => key.startsWith("\u0001");
/** True for the key of a document that another host owns. */
export const isForeign = (key: string): boolean => key.startsWith(FOREIGN);
/** True for the key of what this host remembers of a peer's log. */
export const isCheckpoint = (key: string): boolean => key.startsWith(CHECKPOINT);

const foreignKey = (owner: string, id: string): string =>
	FOREIGN +
	createHash("sha256")
		.update(plainBytes(Buffer.from(`${owner}/${id}`)))
		.digest("hex");

/** The key under which a document lies in the store of a host. */
export const keyOf = (document: ReplicaDocument, self: string): string =>
	document.way === "owned" && document.owner !== self
		? foreignKey(document.owner, document.id)
		: document.id;

/** The key of what is known of a peer's log. */
export const checkpointKey = (peer: string): string => CHECKPOINT + peer;

/** A version of a document that another host owns, or of a shared one, as it is kept. */
export const keptForm = (
	document: ReplicaDocument,
	{ self, ver }: { readonly self: string; readonly ver: number },
): Stored => {
	const { kind } = document;
	const id = keyOf(document, self);
	if (document.way === "shared") {
		const body = { fields: document.fields };
		return { id, kind, owner: self, ver, sig: "", body, _deleted: false };
	}
	const { owner, sig, body } = document;
	const own = owner === self;
	const kept = own ? (body ?? {}) : { id: document.id, ...(body === null ? {} : { body }) };
	const sigKept = own ? "" : sig;
	return { id, kind, owner, ver: document.ver, sig: sigKept, body: kept, _deleted: body === null };
};

const broken = (stored: Stored, why: string): StoreError =>
	new StoreError(
		"STORE_FORMAT",
		`the stored ${stored.kind} ${stored.owner} is not understood: ${why}`,
	);

/** A shared document of format 1, which had no fields: as if this host had written each of them then. */
const fieldsOfPlain = (stored: Stored, self: Self): SharedDocument["fields"] => {
	const values = stored._deleted
		? { [REMOVED_FIELD]: true }
		: fieldsOfBody(stored.kind, stored.body);
	const hlc = hlcOfVersion(stored.ver);
	return Object.fromEntries(
		Object.entries(values).map(([field, value]) => {
			const register = { value, hlc, writer: self.id, seen: {} };
			const sig = self.sign(registerText(stored, field, register));
			return [field, [{ ...register, sig }]];
		}),
	);
};

const isFields = (body: DocumentBody): boolean =>
	Object.keys(body).length === 1 && Object.hasOwn(body, "fields");

/** The shared document that is kept. Throws STORE_FORMAT. */
export const sharedOf = (stored: Stored, self: Self): SharedDocument => {
	const { kind, id } = stored;
	if (!isFields(stored.body))
		return { way: "shared", kind, id, fields: fieldsOfPlain(stored, self) };
	const fields = sharedDocumentSchema.shape.fields.safeParse(stored.body["fields"]);
	if (fields.success) return { way: "shared", kind, id, fields: fields.data };
	throw broken(stored, fields.error.message);
};

const foreignBody = (stored: Stored): { readonly id: string; readonly body: DocumentBody } => {
	const { id, body } = stored.body;
	const parsed = documentBodySchema.safeParse(body ?? {});
	if (typeof id === "string" && parsed.success) return { id, body: parsed.data };
	throw broken(stored, "it has no id");
};

/** The envelope of a document that another host owns. */
export const foreignEnvelope = (stored: Stored): Envelope => {
	const { kind, owner, ver, sig } = stored;
	return { kind, owner, ver, sig, ...foreignBody(stored) };
};

const ownedOf = (stored: Stored, self: Self): OwnedDocument => {
	const { kind, ver, _deleted } = stored;
	if (isForeign(stored.id)) {
		const { id, body } = foreignBody(stored);
		const { owner, sig } = stored;
		return { way: "owned", kind, id, owner, ver, sig, body: _deleted ? null : { ...body } };
	}
	const body = _deleted ? null : { ...stored.body };
	const unsigned = { way: "owned", kind, id: stored.id, owner: self.id, ver, body } as const;
	return { ...unsigned, sig: self.sign(ownedText(unsigned)) };
};

/** What is kept, as hosts exchange it; a host's own documents are signed here. */
export const replicaForm = (stored: Stored, self: Self): ReplicaDocument =>
	writingWay(stored.kind) === "shared" ? sharedOf(stored, self) : ownedOf(stored, self);

/** What this host remembers of a peer's log, as it is kept. */
export const checkpointForm = (
	kind: DocumentKind,
	peer: string,
	checkpoint: ReplicaCheckpoint,
): Stored => ({
	id: checkpointKey(peer),
	kind,
	owner: peer,
	ver: 1,
	sig: "",
	body: { ...checkpoint },
	_deleted: false,
});

/** Undefined when it is not understood: then the peer's log is read from the beginning. */
export const checkpointOf = (stored: Stored): ReplicaCheckpoint | undefined =>
	replicaCheckpointSchema.safeParse(stored.body).data;
