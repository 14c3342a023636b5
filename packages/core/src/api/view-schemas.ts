// Schemas of the views that are kept in the store: a document is checked before it is believed (DESIGN 4.6). Unknown fields of a
// newer version pass through.
import { z } from "zod";
import { proofSchema } from "../domain/chain.ts";
import { bytesSchema } from "../domain/ids.ts";
import { backupKindSchema, skippedDiskSchema } from "../domain/manifest.ts";

const vmRefSchema = z.strictObject({ uuid: z.string(), name: z.string() });

export const backupStatusSchema = z.enum([
	"Queued",
	"BackingUp",
	"BackedUp",
	"Unconfirmed",
	"Failed",
	"Restoring",
	"Removed",
	"Expunged",
]);

/** A backup's view without the path, which differs from host to host. */
export const storedBackupSchema = z.object({
	id: z.string(),
	vm: vmRefSchema,
	host: z.string(),
	chain: z.string().nullable(),
	sequence: z.number().nullable(),
	parent: z.string().nullable(),
	kind: backupKindSchema.nullable(),
	reason: z.string(),
	status: backupStatusSchema,
	compressionStatus: z.string(),
	validationStatus: z.string(),
	proof: z.array(proofSchema).readonly(),
	createdAt: z.string(),
	pointInTime: z.string().nullable(),
	consistency: z.string().nullable(),
	labels: z.array(z.string()).readonly(),
	pinned: z.boolean(),
	size: bytesSchema,
	uncompressedSize: bytesSchema,
	virtualSize: bytesSchema,
	repository: z.string().nullable(),
	offering: z.string().nullable(),
	disks: z
		.array(
			z.object({
				target: z.string(),
				layer: z.string(),
				size: bytesSchema,
				virtualSize: bytesSchema,
				parentLayer: z.string().nullable(),
				sha256: z.string(),
			}),
		)
		.readonly(),
	skipped: z.array(skippedDiskSchema).readonly(),
	validation: z.array(z.record(z.string(), z.unknown())).readonly(),
	validationMessage: z.string().nullish(),
	validated: z
		.object({
			at: z.string(),
			host: z.string(),
			agentMs: z.number().nullable(),
			answerMs: z.number().nullable(),
			screenshot: z.boolean(),
		})
		.nullish(),
	error: z.object({ code: z.string(), message: z.string() }).nullable(),
	warnings: z.array(z.string()).readonly(),
});

export const storedChainSchema = z.object({
	id: z.string(),
	vm: vmRefSchema,
	repository: z.string(),
	state: z.enum(["open", "ended"]),
	endReason: z.string().nullable(),
	backups: z.array(z.string()).readonly(),
	size: bytesSchema,
	problems: z.array(z.string()).readonly(),
});
