// What all implementations of the store do with the documents they are given and hand out.
import {
	type DocumentBody,
	type DocumentKind,
	documentBodySchema,
	documentIdSchema,
	type Envelope,
	KnibError,
	type Tombstone,
} from "@knib/core";

/** A document as callers give it. */
export type NewDocument = { readonly id: string; readonly body: DocumentBody };

const freeze = (value: unknown): void => {
	if (typeof value !== "object" || value === null || Object.isFrozen(value)) return;
	for (const name in value) freeze(Reflect.get(value, name));
	Object.freeze(value);
};

/** Freezes a body to its depth; at once when that was done before. */
export const frozen = (body: DocumentBody): DocumentBody => {
	freeze(body);
	return body;
};

const copyOf = (kind: DocumentKind, { id, body }: NewDocument): NewDocument => {
	if (!documentIdSchema.safeParse(id).success) {
		throw new KnibError("INTERNAL", `${JSON.stringify(id)} cannot be the id of a ${kind}`);
	}
	try {
		const copy = documentBodySchema.parse(JSON.parse(JSON.stringify(body)));
		return { id, body: frozen(copy) };
	} catch (cause) {
		throw new KnibError("INTERNAL", `the body of ${kind} ${id} is not JSON`, { cause });
	}
};

/** Copies of documents that nobody else can change. Throws INTERNAL when an id or a body is not acceptable, or an id stands there twice. */
export const accepted = (
	kind: DocumentKind,
	documents: readonly NewDocument[],
): readonly NewDocument[] => {
	if (new Set(documents.map(({ id }) => id)).size < documents.length) {
		throw new KnibError("INTERNAL", `a ${kind} is written twice at once`);
	}
	return documents.map((document) => copyOf(kind, document));
};

/** The envelope in a larger object. */
export const envelopeOf = ({ id, kind, owner, ver, sig, body }: Envelope): Envelope => ({
	id,
	kind,
	owner,
	ver,
	sig,
	body: frozen(body),
});

/** What stays of a document when it is removed. */
export const tombstoneOf = ({ id, kind, owner, ver, sig }: Tombstone): Tombstone => ({
	id,
	kind,
	owner,
	ver,
	sig,
});
