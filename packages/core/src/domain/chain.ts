// A chain and its backups as read from a repository: manifests plus the small files beside them that may change after publication.
import { z } from "zod";
import { instantSchema } from "./ids.ts";
import { type Manifest, manifestSchema, type TrackerFacts } from "./manifest.ts";

/** `ended.json` of a chain: why no backup may be added to it any more. */
export const chainEndSchema = z.strictObject({
	reason: z.string(),
	at: instantSchema,
	host: z.string(),
});
export type ChainEnd = z.infer<typeof chainEndSchema>;

export const proofLevelSchema = z.enum(["copied", "checked", "booted", "answered"]);
export type ProofLevel = z.infer<typeof proofLevelSchema>;

/** What has been shown of a backup, with time and host. */
export const proofSchema = z.strictObject({
	level: proofLevelSchema,
	at: instantSchema,
	host: z.string(),
	durationMs: z.number().int().nonnegative(),
});
export type Proof = z.infer<typeof proofSchema>;

/** Facts of a published backup that change after publication; each stands in a file of its own beside the manifest. */
export const backupMarksSchema = z.strictObject({
	removed: z.strictObject({ at: instantSchema, by: z.string() }).nullable(),
	pinned: z.strictObject({ at: instantSchema, by: z.string() }).nullable(),
	proofs: z.array(proofSchema),
	compression: z.strictObject({
		status: z.enum([
			"Uncompressed",
			"Compressing",
			"FinalizingCompression",
			"Compressed",
			"CompressionError",
		]),
		message: z.string().nullable(),
	}),
	validation: z.strictObject({
		status: z.enum(["NotValidated", "Validating", "Valid", "NotValid", "UnableToValidate"]),
		message: z.string().nullable(),
		steps: z.array(z.looseObject({})),
		/** The last one that came to a result. `name` is its directory in `validation/`; times are ms from the VM's start. */
		last: z
			.strictObject({
				at: instantSchema,
				host: z.string(),
				name: z.string(),
				screenshot: z.boolean(),
				agentMs: z.number().nullable(),
				answerMs: z.number().nullable(),
			})
			.optional(),
	}),
});
export type BackupMarks = z.infer<typeof backupMarksSchema>;

/** One published backup of a repository. */
export type PublishedBackup = {
	readonly manifest: Manifest;
	readonly marks: BackupMarks;
	/** Absolute path of the published directory on this host. */
	readonly path: string;
};

/** One chain of a repository, oldest backup first. */
export type Chain = {
	readonly id: string;
	readonly vm: string;
	readonly repository: string;
	readonly members: readonly PublishedBackup[];
	readonly end: ChainEnd | null;
	/** What the tracker recorded last; null when the file is missing. */
	readonly tracker: TrackerFacts | null;
	/** Manifests, links or files that could not be trusted, in words; a chain with problems takes no increments. */
	readonly problems: readonly string[];
};

/** Why a chain takes no further backup; null while it is open. A backup that reached the chain's size ends it by itself. */
export const chainEndReason = (chain: Chain): string | null =>
	chain.end?.reason ?? chain.members.at(-1)?.manifest.endsChain ?? null;

export const parseManifest = (value: unknown): Manifest => manifestSchema.parse(value);
