// What hosts say to each other. Documents inside are judged one by one, later: one bad document does not spoil a frame.
import { documentKindSchema, hostIdSchema } from "@knib/core";
import { z } from "zod";

/** The protocol that this knib speaks. */
export const PROTOCOL = 1;
/** The longest frame that is sent or read. */
export const LONGEST_FRAME = 16 * 1024 * 1024;
/** The most documents in one answer. */
export const MOST_DOCUMENTS = 500;
/** The version of what documents of a kind are made of. */
export const SCHEMA_VERSION = 1;

const countSchema = z.number().int().nonnegative().max(Number.MAX_SAFE_INTEGER);

/** How far a reader has come in a host's log. */
export const replicaCheckpointSchema = z.strictObject({
	epoch: z.string().min(1).max(64),
	seq: countSchema,
});
export type ReplicaCheckpoint = z.infer<typeof replicaCheckpointSchema>;

const helloSchema = z.strictObject({
	type: z.literal("hello"),
	protocol: countSchema,
	node: hostIdSchema,
	epoch: z.string().min(1).max(64),
	wallClock: countSchema,
	/** By kind; kinds that the sender does not know are absent. */
	schemaVersions: z.record(z.string().max(64), countSchema),
});
export type Hello = z.infer<typeof helloSchema>;

const errorSchema = z.object({
	code: z.string().max(64),
	message: z.string().max(10_000),
	hint: z.string().max(10_000),
	details: z.record(z.string(), z.unknown()),
});
const nameSchema = z.string().min(1).max(64);

/** Any frame of the protocol. */
export const frameSchema = z.discriminatedUnion("type", [
	helloSchema,
	z.strictObject({
		type: z.literal("since"),
		id: countSchema,
		kind: documentKindSchema,
		checkpoint: replicaCheckpointSchema.optional(),
		/** What stands before the checkpoint is not merged yet: it acknowledges nothing. */
		ahead: z.literal(true).optional(),
		limit: z.number().int().min(1).max(MOST_DOCUMENTS),
	}),
	z.strictObject({
		type: z.literal("docs"),
		id: countSchema,
		kind: documentKindSchema,
		documents: z.array(z.unknown()).max(MOST_DOCUMENTS),
		checkpoint: replicaCheckpointSchema,
		more: z.boolean(),
	}),
	z.strictObject({ type: z.literal("dirty"), kind: documentKindSchema }),
	z.strictObject({
		type: z.literal("ack"),
		kind: documentKindSchema,
		checkpoint: replicaCheckpointSchema,
	}),
	z.strictObject({
		type: z.literal("call"),
		id: countSchema,
		method: nameSchema,
		params: z.unknown(),
	}),
	z.strictObject({
		type: z.literal("reply"),
		id: countSchema,
		value: z.unknown(),
		error: errorSchema.optional(),
	}),
	z.strictObject({
		type: z.literal("open"),
		id: countSchema,
		topic: nameSchema,
		params: z.unknown(),
	}),
	z.strictObject({ type: z.literal("item"), id: countSchema, value: z.unknown() }),
	z.strictObject({ type: z.literal("end"), id: countSchema, error: errorSchema.optional() }),
	z.strictObject({ type: z.literal("stop"), id: countSchema }),
	z.strictObject({
		type: z.literal("digest"),
		kind: documentKindSchema,
		digest: z.string().regex(/^[0-9a-f]{64}$/),
	}),
]);
export type Frame = z.infer<typeof frameSchema>;
export type FrameOf<T extends Frame["type"]> = Extract<Frame, { type: T }>;

/** The frame of a text, undefined when it is none. Never throws. */
export const parseFrame = (text: string): Frame | undefined => {
	if (text.length > LONGEST_FRAME) return undefined;
	let json: unknown;
	try {
		json = JSON.parse(text);
	} catch {
		return undefined;
	}
	const parsed = frameSchema.safeParse(json);
	return parsed.success ? parsed.data : undefined;
};
