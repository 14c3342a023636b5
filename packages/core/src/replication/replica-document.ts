// Documents as hosts exchange them, and what of them is signed.
import { z } from "zod";
import { documentBodySchema, documentIdSchema, documentKindSchema } from "../store.ts";
import { canonicalJson } from "./canonical-json.ts";
import { hlcSchema } from "./hybrid-clock.ts";
import { LONGEST_SIGNATURE } from "./succession.ts";

/** A host's id: the SHA-256 of its public key's SPKI. */
export const hostIdSchema = z.string().regex(/^[0-9a-f]{64}$/, "not the id of a host");

const signatureSchema = z.string().max(LONGEST_SIGNATURE);

/** A document that one host writes. Its key is kind, owner and id. */
export const ownedDocumentSchema = z.strictObject({
	way: z.literal("owned"),
	kind: documentKindSchema,
	id: documentIdSchema,
	owner: hostIdSchema,
	/** The owner's counter. */
	ver: z.number().int().positive().max(Number.MAX_SAFE_INTEGER),
	sig: signatureSchema,
	/** Null: removed. */
	body: documentBodySchema.nullable(),
});
export type OwnedDocument = z.infer<typeof ownedDocumentSchema>;

/** One host's value for a field. */
export const registerSchema = z.strictObject({
	/** Null: the field was taken away. */
	value: z.unknown(),
	hlc: hlcSchema,
	writer: hostIdSchema,
	/** By writer, the latest register of this field that this one's writer knew. */
	seen: z.record(hostIdSchema, hlcSchema),
	sig: signatureSchema,
});
export type Register = z.infer<typeof registerSchema>;

/** The name of a field of a shared document. */
export const fieldNameSchema = z.string().regex(/^[A-Za-z][A-Za-z0-9._:-]{0,127}$/, "not a field");

/** A document that every host writes, field by field. Its key is kind and id. */
export const sharedDocumentSchema = z.strictObject({
	way: z.literal("shared"),
	kind: documentKindSchema,
	id: documentIdSchema,
	/** Greatest register first: that one counts, the others are conflicts. */
	fields: z.record(fieldNameSchema, z.array(registerSchema).min(1).max(64)),
});
export type SharedDocument = z.infer<typeof sharedDocumentSchema>;

export const replicaDocumentSchema = z.discriminatedUnion("way", [
	ownedDocumentSchema,
	sharedDocumentSchema,
]);
export type ReplicaDocument = z.infer<typeof replicaDocumentSchema>;

/** What makes two documents versions of the same one. */
export const replicaKey = (document: ReplicaDocument): string =>
	document.way === "owned"
		? `${document.kind}/${document.owner}/${document.id}`
		: `${document.kind}//${document.id}`;

/** What an owner signs. */
export const ownedText = ({ kind, id, owner, ver, body }: Omit<OwnedDocument, "sig">): string =>
	`knib-owned-1\n${canonicalJson({ kind, id, owner, ver, body })}`;

/** What the writer of a field signs. */
export const registerText = (
	{ kind, id }: Pick<SharedDocument, "kind" | "id">,
	field: string,
	{ value, hlc, writer, seen }: Omit<Register, "sig">,
): string => `knib-field-1\n${canonicalJson({ kind, id, field, value, hlc, writer, seen })}`;
